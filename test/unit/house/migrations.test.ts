import { expect, test } from '@jest/globals';
import { checksumOf, MIGRATIONS, readMigrations } from '#core/postgres/migrate/migrations.js';

/** Every migration, with the checksum that databases recorded when it was applied. */
const RELEASED = {
  '0001_init': 'f5ee9bb7b78bfd480e1b36d6cc4c4cfbb8ce64e1a4bfcba7205f5b6694359794',
  '0002_purchase_rules': 'fd765db684d65fd9d387492162228fdbffc4c4223859f8fea3834e49719620c3',
  '0003_money': 'bb79c3e15ee2a2984bdebfdd7f22eb797c626b2e9320295d9ce8caf91d38fb36',
  '0004_payment_attempts': '9f7a425f6cb30927cf33a349aa593695528b045be98dd84b22829543e33f26c2',
  '0005_revoked_sessions': '94cf07449a08b67d86bebd219acc287a761b30a125f4c905d3add936e012f30d',
  '0006_payment_amounts': '87b2d6492e3a2fab3f3421ad6ccc498cbea293c1c02189e772903ab584e8964e',
  '0007_order_refunds': '58e37461110a0c7036ae17c555d1c5578b88a5afc3dbb3b6f1d66eae39a2e60a',
  '0008_transfer_parts': '7afd402c4bbe3d4ba96546dec3902154cbb7cf6aa9cae24e7164cf980dd4d0c3',
  '0009_outbox_parts': 'f43526436bd791c11fec3ae51ddde384ce3a633e9e5b9207d8c3a05226cd1d67',
  '0010_transfers_in_parts': 'f3b781a03afa29c5f3f9ca52731c5c44be6c5b5a1e140f359ff0e0c563f51281',
  '0011_outbox_in_parts': 'd1a1772d0fb349478a06d7e09b6f07ae8c44b46045cffe44246c4d443055f606',
  '0012_refunds_due': '3b8c04a3e0b3445ff32357f0153187c78b6129d039597c1bacdce71c98b6dc28',
  '0013_transfers_one_of_a_kind': '8b8a1f7452ef64e5d2c675a15ee5f27d09cf540a4454343f119e91e607535fa8',
  '0014_outbox_one_of_a_kind': '79680c388d622547f91db389244a0ab1ac827ce37eebc69a3b23092049ee286d',
  '0015_checks_hold': 'a5cf53f979fa6abd40d52bb287cf03f078fdd68c96588673662c57048f1232ee',
  '0016_money_in_wallets': 'faaca4d11365b6241e165d1766e53c7787e8150a62006dbccad18a1008443fc6',
  '0017_pay_clicks': 'b2fb4bde2c2dbb65d682cf8429c1614da022caa2ab182630a440630477aec00d',
  '0018_shop_webhook': '2d7219565363c9ace249dc9c73da38d984db4fd4db8bd6a8eb6e460b7efc9c0b',
  '0019_disputes_shop_webhook': 'c3aa6c48319a6fe7a3486b0b0bbc3a3b15537baf522c734d1ce3cd4ceff64d20',
  '0020_notices_in_turn': '30c9ad503fe7730a49142b168bb7897c4c7f92e3d368a58737b88d6a3701d263',
  '0021_notices_due': 'ed0bbf11ee707ad23dc66f3152601ae9078988890cf987e477a7dd0192f67060',
  '0022_notices_dead': '4910365015f9183b5337234699385daee98e5aacb07b275201bff743cfae9002',
  '0023_payments_odd': 'ac3d4b2f4f351b014282f23b71a5c96fd845839719c43f4ea96cada8ab5c5caa',
  '0024_disputes_open': '6ed0ec2bc6411bc66234d71d3cc32908775e7b2d01367d6c43da81920479fa36',
  '0025_books': '301c48ecbc721cca1407e06cb052e1ac6d443b371eb8e30a8e52dc561465a9a1',
  '0026_payments_updated': 'a09912c37cf36f74df7c7d314a368101838a52bf632696f7171c972600425a8f',
  '0027_orders_due_in_turn': '2367ce9a8d8a1b577350b4b7579441222d622601a92fae31682d544901c706fc',
  '0028_orders_overdue': 'c0e9e907f03bc9328880f1545d400bfa55990a84ef8788aa3e1967de60b331b3',
  '0029_orders_buyer_id': '5bac3038f2660a759e4833a683aa2225919c9d1a0546d03428dbebee72622171',
  '0030_orders_buyer_id_holds': '9fcd270729a79a4a74af8f81a17973f2919c0b8dc54487c0aea2abf27e66cd0d',
  '0031_draws': '814e6d28818fe4e652e87153f288e2a5efd438004a23e93e22b8867ec5d14c4d',
  '0032_robots': 'a83d5ddbe71a658a1211b6933f476c11496f1543c0bcffdee6cda05a28387cfa',
  '0033_orders_buyer_group_holds': 'e843b3bf2d128fd198927eba5ba9fe3db9204bdb5fb3699989263605bf789605',
  '0034_orders_came_back': '4230317e3eaa9e566dfe346e737e60639f660eb14b2c57a24380991f68af3264',
};

test('a migration never changes: databases that applied it would refuse the next start', () => {
  const checksums = readMigrations(MIGRATIONS).map(({ name, script }) => [name, checksumOf(script)]);
  expect(Object.fromEntries(checksums)).toEqual(RELEASED);
});
