import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { readLockedPackages, readWantedPackages } from '../../support/pages/locked-packages.js';

const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;

test('the SBOM names exactly what the image installs, with versions: the libraries, and nothing of development', () => {
  const options = { cwd: checkout, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX } as const;
  const { bomFormat, components } = JSON.parse(execFileSync('npm', ['run', '-s', 'sbom'], options));
  expect(bomFormat).toBe('CycloneDX');
  const deployed = readLockedPackages()
    .filter(one => one.isDeployed)
    .map(({ name, version }) => `${name}@${version}`);
  const named = components.map(({ name, version }: { name: string; version: string }) => `${name}@${version}`);
  expect(named.toSorted()).toEqual([...new Set(deployed)].toSorted());
  const libraries = Object.entries(readWantedPackages().libraries).map(library => library.join('@'));
  expect(named).toEqual(expect.arrayContaining(libraries));
});
