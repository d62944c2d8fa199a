import { type FaultProxy, startFaultProxy } from '../../support/stores/fault-proxy.js';

/** The links that connect the processes, the stores and the buyers of a cluster. */
export const LINKS = ['client-api', 'api-redis', 'worker-redis', 'worker-postgres'] as const;
/** The name of a link. A test that follows a failover has a link of its own, too. */
export type LinkName = (typeof LINKS)[number] | 'test-redis';

/** The link of one process, through a fault proxy. */
export interface Link {
  name: LinkName;
  proxy: FaultProxy;
}

/** All links that can be broken. */
export interface Links {
  all: Link[];
  /** Starts a new link to the server of a URL, and returns the URL through that link. */
  through(name: LinkName, url: string): Promise<string>;
  close(): Promise<void>;
}

/** Creates an empty set of links. Each link starts where its URL is handed to a process. */
export function createLinks(): Links {
  const all: Link[] = [];
  return {
    all,
    async through(name, url) {
      const proxy = await startFaultProxy(url);
      all.push({ name, proxy });
      return proxy.through(url).replace(/\/$/, '');
    },
    close: async () => void (await Promise.all(all.map(({ proxy }) => proxy.close()))),
  };
}
