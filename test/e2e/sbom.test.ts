import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';

interface Sbom {
  bomFormat: string;
  components: { name: string; version: string }[];
}

const manifest: Record<'dependencies' | 'devDependencies', Record<string, string>> = JSON.parse(
  readFileSync(join(checkout, 'package.json'), 'utf8'),
);

let sbom: Sbom;

beforeAll(() => {
  sbom = JSON.parse(execFileSync('npm', ['run', '-s', 'sbom'], { cwd: checkout, encoding: 'utf8' }));
});

test('the SBOM is CycloneDX, and names each package of production with its exact version', () => {
  expect(sbom.bomFormat).toBe('CycloneDX');
  const named = Object.fromEntries(sbom.components.map(({ name, version }) => [name, version]));
  expect(named).toMatchObject(manifest.dependencies);
});

test('the SBOM names no package of development', () => {
  const names = sbom.components.map(({ name }) => name);
  expect(names.filter(name => manifest.devDependencies[name])).toEqual([]);
});
