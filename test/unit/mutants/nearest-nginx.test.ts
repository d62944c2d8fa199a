import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { ImportGraph } from '../../mutants/nearest/import-graph.js';
import { NearestTests } from '../../mutants/nearest/nearest.js';

const FOLDER = 'test/edge';

test('the nearest tests of nginx begin with those in front of servers that record, and end with those of many seconds', () => {
  const names = readdirSync(join(checkout, FOLDER)).filter(name => name.endsWith('.test.ts'));
  const texts = new Map(names.map(name => [`${FOLDER}/${name}`, '']));
  const nearest = new NearestTests({ texts, graph: new ImportGraph(texts), reach: new Map() });
  const { tests } = nearest.of('nginx/nginx.conf', 0);
  expect(tests.slice(0, 3)).toEqual(
    ['passing-on', 'failing-apis', 'refusals'].map(name => `${FOLDER}/${name}.test.ts`),
  );
  expect(tests.at(-1)).toBe(`${FOLDER}/front-door.test.ts`);
  expect(tests).toHaveLength(9);
});
