import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { ALLOWED_LICENCES, dependenciesPage, REASONS } from '../../support/pages/dependencies-page.js';
import { errorsPage } from '../../support/pages/errors-page.js';
import { readLockedPackages, readWantedPackages } from '../../support/pages/locked-packages.js';
import { formatPage } from '../../support/pages/written-page.js';

const { libraries, tools } = readWantedPackages();
const wanted = Object.entries({ ...libraries, ...tools });
const deployed = readLockedPackages().filter(one => one.isDeployed);

const isCurrent = async (name: string, page: string): Promise<boolean> => {
  const path = join(checkout, 'docs', name);
  return readFileSync(path, 'utf8') === (await formatPage(path, page));
};

test('docs/errors.md says what the table of problems says', async () => {
  const news = (await isCurrent('errors.md', errorsPage()))
    ? ''
    : 'docs/errors.md is out of date: run npm run docs:errors';
  expect(news).toBe('');
});

describe('dependencies', () => {
  test('each has an exact version and a reason', () => {
    expect(wanted.filter(([, version]) => !/^\d+\.\d+\.\d+[-.\w]*$/.test(version))).toEqual([]);
    expect(Object.keys(REASONS).toSorted()).toEqual(wanted.map(([name]) => name).toSorted());
  });

  test('each deployed package has a checksum, and a licence that allows to pass it on', () => {
    const named = (all: typeof deployed) => all.map(({ name, version, licence }) => `${name}@${version}: ${licence}`);
    expect(named(deployed.filter(({ integrity }) => !integrity?.startsWith('sha512-')))).toEqual([]);
    expect(named(deployed.filter(({ licence }) => !ALLOWED_LICENCES.includes(licence)))).toEqual([]);
    expect(deployed.length).toBeGreaterThan(Object.keys(libraries).length);
  });

  test('docs/dependencies.md says what is installed', async () => {
    const news = (await isCurrent('dependencies.md', dependenciesPage()))
      ? ''
      : 'out of date: run npm run docs:dependencies';
    expect(news).toBe('');
  });
});
