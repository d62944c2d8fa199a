import { type FaultProxy, startFaultProxy } from '../../support/stores/fault-proxy.js';

/** What the processes and the buyers of a cluster are connected by. */
export const LINKS = ['client-api', 'api-redis', 'worker-redis', 'worker-postgres'] as const;
/** Of what the test itself looks at, too, when it follows a failover. */
export type LinkName = (typeof LINKS)[number] | 'test-redis';

/** One process's link, by way of a fault proxy. */
export interface Link {
  name: LinkName;
  proxy: FaultProxy;
}

/** All links that can be broken. */
export interface Links {
  all: Link[];
  /** @returns the same URL by way of a link that is new */
  by(name: LinkName, url: string): Promise<string>;
  close(): Promise<void>;
}

/** @returns no links yet: each is opened where its URL is handed to somebody */
export function openLinks(): Links {
  const all: Link[] = [];
  return {
    all,
    async by(name, url) {
      const proxy = await startFaultProxy(url);
      all.push({ name, proxy });
      return proxy.through(url).replace(/\/$/, '');
    },
    close: async () => void (await Promise.all(all.map(({ proxy }) => proxy.close()))),
  };
}
