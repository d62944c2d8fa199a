import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';

/** A package as package-lock.json has it. npm marks a package that not every installation needs. */
export interface LockedPackage {
  name: string;
  version: string;
  /** The SPDX expression of the licence. */
  licence: string;
  /** The checksum of the package's file; undefined when nothing would notice another file. */
  integrity: string | undefined;
  /** Whether the image contains the package: neither development nor an option needs it alone. */
  isDeployed: boolean;
}

interface LockEntry {
  version: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
  peer?: boolean;
}

const FOLDER = 'node_modules/';

const readJson = (path: string) => JSON.parse(readFileSync(join(checkout, path), 'utf8'));

/** Reads every package that package-lock.json installs. */
export function readLockedPackages(): LockedPackage[] {
  const entries: [string, LockEntry][] = Object.entries(readJson('package-lock.json').packages);
  return entries
    .filter(([path]) => path !== '')
    .map(([path, { version, license, integrity, dev, devOptional, optional, peer }]) => ({
      name: path.slice(path.lastIndexOf(FOLDER) + FOLDER.length),
      version,
      licence: license ?? 'unknown',
      integrity,
      isDeployed: !dev && !devOptional && !optional && !peer,
    }));
}

/** Reads the packages that package.json names, with their versions as written there. */
export function readWantedPackages(): { libraries: Record<string, string>; tools: Record<string, string> } {
  const { dependencies, devDependencies } = readJson('package.json');
  return { libraries: dependencies, tools: devDependencies };
}
