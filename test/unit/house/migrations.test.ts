import { expect, test } from '@jest/globals';
import { checksumOf, MIGRATIONS, readMigrations } from '#core/postgres/migrate/migrations.js';

/** Every migration, with the checksum that databases recorded when it was applied. */
const RELEASED = {
  '0001_init': 'f5ee9bb7b78bfd480e1b36d6cc4c4cfbb8ce64e1a4bfcba7205f5b6694359794',
  '0002_purchase_rules': 'fd765db684d65fd9d387492162228fdbffc4c4223859f8fea3834e49719620c3',
  '0003_money': 'bb79c3e15ee2a2984bdebfdd7f22eb797c626b2e9320295d9ce8caf91d38fb36',
  '0004_payment_attempts': '9f7a425f6cb30927cf33a349aa593695528b045be98dd84b22829543e33f26c2',
  '0005_revoked_sessions': '94cf07449a08b67d86bebd219acc287a761b30a125f4c905d3add936e012f30d',
  '0006_payment_amounts': 'a8c7f362c69593dc265c6e9b4a669ba6ad9e5ff19f574efedeb8c649a5b35beb',
  '0007_transfers_in_parts': 'f3b781a03afa29c5f3f9ca52731c5c44be6c5b5a1e140f359ff0e0c563f51281',
  '0008_outbox_in_parts': 'd1a1772d0fb349478a06d7e09b6f07ae8c44b46045cffe44246c4d443055f606',
  '0009_refunds_due': '3b8c04a3e0b3445ff32357f0153187c78b6129d039597c1bacdce71c98b6dc28',
  '0010_one_of_a_kind': '3ab38280a0f33aab46920661abdef5d3efe34dfea40e3f032b70add55dbf1284',
  '0011_money_in_wallets': '51fd09c1b420094e1d4dd37e5d6917e9305c46fd80fa3ae090f631577df72f58',
  '0012_pay_clicks': 'b2fb4bde2c2dbb65d682cf8429c1614da022caa2ab182630a440630477aec00d',
};

test('a migration never changes: databases that applied it would refuse the next start', () => {
  const checksums = readMigrations(MIGRATIONS).map(({ name, script }) => [name, checksumOf(script)]);
  expect(Object.fromEntries(checksums)).toEqual(RELEASED);
});
