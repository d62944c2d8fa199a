import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { checkout } from '#core/process/checkout.js';

/** One container of docker-compose.yml, as far as the tests look at it. */
export interface Service {
  image: string;
  user?: string;
  read_only?: boolean;
  privileged?: boolean;
  cap_add?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  mem_limit?: string;
  pids_limit?: number;
  cpus?: number;
  networks?: string[];
  network_mode?: string;
  ports?: string[];
  environment?: Record<string, string>;
  secrets?: string[];
  entrypoint?: string[];
  depends_on?: Record<string, { condition: string }>;
}

interface ComposeFile {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  secrets: Record<string, { file: string }>;
}

/** The parsed docker-compose.yml, with its anchors resolved. */
export const compose = parse(readFileSync(join(checkout, 'docker-compose.yml'), 'utf8'), {
  merge: true,
}) as ComposeFile;

/** The containers, by name. */
export const services = Object.entries(compose.services);

/** Returns one container. */
export function serviceOf(name: string): Service {
  const service = compose.services[name];
  if (!service) throw new Error(`docker-compose.yml has no ${name}`);
  return service;
}

/** Returns the networks that a container has in common with another one. */
export function sharedNetworks(one: string, other: string): string[] {
  return (serviceOf(one).networks ?? []).filter(network => serviceOf(other).networks?.includes(network));
}
