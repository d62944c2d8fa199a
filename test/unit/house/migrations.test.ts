import { expect, test } from '@jest/globals';
import { checksumOf, MIGRATIONS, readMigrations } from '#core/postgres/migrate/migrations.js';

/** Every migration, with the checksum that databases recorded when it was applied. */
const RELEASED = {
  '0001_init': 'f5ee9bb7b78bfd480e1b36d6cc4c4cfbb8ce64e1a4bfcba7205f5b6694359794',
  '0002_purchase_rules': 'fd765db684d65fd9d387492162228fdbffc4c4223859f8fea3834e49719620c3',
  '0003_money': 'bb79c3e15ee2a2984bdebfdd7f22eb797c626b2e9320295d9ce8caf91d38fb36',
  '0004_payment_attempts': '9f7a425f6cb30927cf33a349aa593695528b045be98dd84b22829543e33f26c2',
  '0005_revoked_sessions': '94cf07449a08b67d86bebd219acc287a761b30a125f4c905d3add936e012f30d',
  '0007_pay_clicks': '02d21da36da9b8890a26ee94d9d08d76048fd0004db4f32bfbbaa3c8065bdecc',
};

test('a migration never changes: databases that applied it would refuse the next start', () => {
  const checksums = readMigrations(MIGRATIONS).map(({ name, script }) => [name, checksumOf(script)]);
  expect(Object.fromEntries(checksums)).toEqual(RELEASED);
});
