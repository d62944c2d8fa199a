import { type Content, type Html, html } from './html.js';

interface Page {
  title: string;
  /** Seconds after which the browser reloads the page; no reload without it. */
  refreshSeconds?: number | undefined;
  /** Leaves the navigation out, for a visitor who is not logged in. */
  bare?: boolean;
}

/** Returns a complete HTML page of the console: the head, the navigation and the given content. */
export function layout({ title, refreshSeconds, bare }: Page, content: Content): Html {
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refreshSeconds !== undefined && html`<meta http-equiv="refresh" content="${refreshSeconds}">`}
<title>${title} · Dropline</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/admin.css">
</head>
<body>
<header><a class="brand" href="/">Dropline</a>${!bare && NAVIGATION}</header>
<main>${content}</main>
</body>
</html>
`;
}

const NAVIGATION = html`<nav><a href="/">Sales</a><a href="/money">Money</a><a href="/queues">Queues</a>
<form method="post" action="/logout"><button class="quiet">Log out</button></form></nav>`;
