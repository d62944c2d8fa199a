import { describe, expect, test } from '@jest/globals';
import { addressOf } from '../../../../apps/api/listeners/first-listener.js';

describe('the URL of a request about one sale', () => {
  test.each([
    ['/buy/drop', 'drop', undefined],
    ['/buy/drop?', 'drop', ''],
    ['/buy/drop?a=b', 'drop', 'a=b'],
    ['/buy/drop?a=b?c', 'drop', 'a=b?c'],
    ['/buy/?a=b', '', 'a=b'],
    ['/buy/', '', undefined],
    ['/buy/a/b%20c', 'a/b%20c', undefined],
  ])('%s names the sale %j with the query %j', (url, saleId, query) => {
    expect(addressOf(url, '/buy/')).toEqual({ saleId, query });
  });

  test('a mark of the query in the prefix belongs to the prefix', () => {
    expect(addressOf('/buy?/drop', '/buy?/')).toEqual({ saleId: 'drop', query: undefined });
  });
});
