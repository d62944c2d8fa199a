import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';

const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;

const FOLDER = 'node_modules/';

/** A package in package-lock.json. npm has marked it if not every installation needs it. */
interface LockedPackage {
  version: string;
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
  peer?: boolean;
}

const read = (name: string) => JSON.parse(readFileSync(join(checkout, name), 'utf8'));

function lockedForProduction(): string[] {
  const packages: [string, LockedPackage][] = Object.entries(read('package-lock.json').packages);
  return packages
    .filter(([path, { dev, devOptional, optional, peer }]) => path && !dev && !devOptional && !optional && !peer)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf(FOLDER) + FOLDER.length)}@${version}`);
}

test('the SBOM names exactly what the image installs, with versions: the libraries, and nothing of development', () => {
  const options = { cwd: checkout, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX } as const;
  const { bomFormat, components } = JSON.parse(execFileSync('npm', ['run', '-s', 'sbom'], options));
  expect(bomFormat).toBe('CycloneDX');
  const named = components.map(({ name, version }: { name: string; version: string }) => `${name}@${version}`);
  expect(named.toSorted()).toEqual([...new Set(lockedForProduction())].toSorted());
  const libraries = Object.entries(read('package.json').dependencies).map(library => library.join('@'));
  expect(named).toEqual(expect.arrayContaining(libraries));
});
