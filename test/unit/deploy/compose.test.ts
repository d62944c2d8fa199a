import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { compose, serviceOf, services, sharedNetworks } from './compose-file.js';

/** An image by its digest, which nobody can replace. */
const PINNED = /^[\w.-]+:[\w.-]+@sha256:[0-9a-f]{64}$/;

describe('docker-compose.yml', () => {
  test.each(services)('%s is hardened: no root, no capability, no file to write, and bounded', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      pids_limit: expect.any(Number),
      cpus: expect.any(Number),
      networks: expect.arrayContaining([expect.any(String)]),
    });
    expect([service.cap_add, service.privileged, service.network_mode]).toEqual([undefined, undefined, undefined]);
    // The image of Dropline has a user of its own (Dockerfile).
    if (service.image !== 'dropline') expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  test('every image is pinned by its digest', () => {
    const images = services.map(([, { image }]) => image).filter(image => image !== 'dropline');
    const dockerfile = readFileSync(join(checkout, 'Dockerfile'), 'utf8');
    const base = /^ARG NODE=(.*)$/m.exec(dockerfile)?.[1] ?? '';
    expect(dockerfile).not.toMatch(/^FROM (?!\$\{NODE\}(?: AS \w+)?$)/m);
    expect([...images, base].filter(image => !PINNED.test(image))).toEqual([]);
  });

  test('a store is reached only from inside, and only by the processes that use it', () => {
    const open = Object.entries(compose.networks).filter(([, network]) => !network?.internal);
    const openNames = open.map(([name]) => name);
    for (const store of ['redis', 'postgres']) {
      expect(serviceOf(store).networks?.filter(network => openNames.includes(network))).toEqual([]);
      expect(sharedNetworks('nginx', store)).toEqual([]);
    }
    for (const api of ['api-1', 'api-2']) {
      expect(sharedNetworks(api, 'postgres')).toEqual([]);
      expect(sharedNetworks(api, 'redis')).not.toEqual([]);
      expect(sharedNetworks(api, 'nginx')).not.toEqual([]);
    }
    expect(sharedNetworks('redis', 'postgres')).toEqual([]);
    expect(sharedNetworks('nginx', 'admin')).toEqual([]);
  });

  test('only nginx and the console publish a port, and the console only to this machine', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map(port => [name, port]));
    expect(published).toEqual([
      ['admin', '127.0.0.1:3001:3001'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of the file
      ['nginx', '${HTTP_PORT:-8080}:8080'],
    ]);
  });

  test('no process but the migration has the rights of the owner of the database', () => {
    const owners = services.filter(([, { secrets = [] }]) => secrets.some(name => name.startsWith('owner_')));
    expect(owners.map(([name]) => name)).toEqual(['migrate', 'rights', 'postgres']);
    for (const name of ['worker', 'admin', 'cli']) {
      expect(serviceOf(name).depends_on?.rights).toEqual({ condition: 'service_completed_successfully' });
    }
  });
});
