import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import type { TokenVerdict } from '#core/identity/token-refusal.js';
import { buyerOf } from '../../../../apps/api/http/buyer.js';

/** Knows the tokens `t-ann` and `t-bob`. */
const verify = (token: string): TokenVerdict =>
  /^t-\w+$/.test(token) ? { kind: 'buyer', buyerId: token.slice(2) } : { kind: 'refused', reason: 'signature' };

function outcomeOf(headers: IncomingHttpHeaders, method = 'GET'): string {
  try {
    return buyerOf({ method, headers } as IncomingMessage, verify);
  } catch (error) {
    const { code, details } = error as { code: string; details: { detail?: string } };
    return `${code} ${details.detail?.split(':')[0] ?? ''}`.trim();
  }
}

const cookie = 'other=1; dropline_token=t-bob';
const OURS = { host: 'shop.example', origin: 'https://shop.example' };

describe('the buyer of a request', () => {
  test.each(['Bearer t-ann', 'bearer t-ann', 'BEARER   t-ann  '])('is named by the header "%s"', authorization => {
    expect(outcomeOf({ authorization })).toBe('ann');
  });

  test('is named by the header even beside a cookie', () => {
    expect(outcomeOf({ authorization: 'Bearer t-ann', cookie })).toBe('ann');
    expect(outcomeOf({ authorization: 'Bearer wrong', cookie })).toBe('unauthenticated signature');
    expect(outcomeOf({ authorization: '', cookie })).toBe('unauthenticated scheme');
  });

  test.each(['Basic t-ann', 'Bearer', 'Bearert-ann', 'Bearer t-ann t-bob', 't-ann'])(
    'is not named by the header "%s"',
    authorization => expect(outcomeOf({ authorization })).toBe('unauthenticated scheme'),
  );

  test('is not named without a token, or by a wrong cookie', () => {
    expect(outcomeOf({})).toBe('unauthenticated missing');
    expect(outcomeOf({ cookie: 'token=t-ann' })).toBe('unauthenticated missing');
    expect(outcomeOf({ cookie: 'dropline_token=wrong' })).toBe('unauthenticated signature');
  });
});

describe('a request with a cookie', () => {
  test.each(['GET', 'HEAD'])('may only read from anywhere: %s', method => {
    expect(outcomeOf({ cookie, host: 'shop.example', origin: 'https://evil.example' }, method)).toBe('bob');
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('may %s from a page of this origin only', method => {
    expect(outcomeOf({ cookie, ...OURS }, method)).toBe('bob');
    expect(outcomeOf({ cookie, 'sec-fetch-site': 'same-origin' }, method)).toBe('bob');
    expect(outcomeOf({ cookie, ...OURS, origin: 'https://evil.example' }, method)).toBe('forbidden_origin');
    expect(outcomeOf({ cookie, ...OURS, 'sec-fetch-site': 'same-site' }, method)).toBe('forbidden_origin');
    // A client that tells no origin is no browser, and has no cookie by accident.
    expect(outcomeOf({ cookie, host: 'shop.example' }, method)).toBe('forbidden_origin');
  });

  test('of a wrong token gets that reason, wherever it comes from', () => {
    expect(outcomeOf({ cookie: 'dropline_token=wrong', origin: 'null' }, 'POST')).toBe('unauthenticated signature');
  });
});

test('a request with a header needs no origin', () => {
  expect(outcomeOf({ authorization: 'Bearer t-ann', origin: 'https://evil.example' }, 'POST')).toBe('ann');
});
