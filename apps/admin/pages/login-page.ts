import { type Html, html } from './html.js';
import { layout } from './layout.js';

/**
 * Returns the page with the operators' login form.
 *
 * @param wrong the error of the last try to log in
 */
export function loginPage(wrong?: string): Html {
  return layout(
    { title: 'Log in', bare: true },
    html`<form class="card login" method="post" action="/login">
<h1>Sale console</h1>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
${wrong !== undefined && html`<p class="bad" role="alert">${wrong}</p>`}
<button>Log in</button>
</form>`,
  );
}
