import { inFile, type Mark, onLine } from './mark.js';

/** The marks of payments and of what their values are checked with. */
export const MONEY_MARKS: readonly Mark[] = [
  ...inFile(
    'core/maintenance/ask-providers.ts',
    onLine(
      `return result?.status === 'rejected' ? [{ name: \`order \${orderId}\`, error: result.reason }] : [];`,
      'each payment has a result: the condition is for the compiler',
      [['OptionalChaining', 'result?.status', 'result.status']],
    ),
  ),
  ...inFile('core/payments/provider-event.ts', [
    {
      line: '} catch {',
      operator: 'BlockStatement',
      original: `{
    // A correctly signed body that is no JSON contains no event.
    return undefined;
  }`,
      replacement: '{}',
      reason: 'a function returns undefined at its end, too',
    },
  ]),
  ...inFile('core/payments/signature.ts', [
    ...onLine("const parts = (header ?? '').split(',').map(part => part.trim());", 'neither text has a time stamp', [
      ['StringLiteral', "''", '"Stryker was here!"'],
    ]),
    ...onLine(
      'if (times.length !== 1 || seconds === undefined || !/^\\d{1,12}$/.test(seconds)) return undefined;',
      'a list of one time stamp has a first one: the condition is for the compiler',
      [['ConditionalExpression', 'seconds === undefined', 'false']],
    ),
  ]),
  ...inFile('core/payments/signed-webhook.ts', [
    ...onLine(
      '...(body === undefined ? {} : { body: JSON.stringify(body) }),',
      'fetch takes an undefined body for none',
      [['ConditionalExpression', 'body === undefined', 'false']],
    ),
    ...onLine(
      `if (status < 200 || status > 299) throw new Error(\`the payment provider answered \${status}\`);`,
      'fetch returns no answer below 200',
      [['ConditionalExpression', 'status < 200', 'false']],
    ),
  ]),
  ...inFile(
    'core/postgres/money/due-refunds.ts',
    onLine(
      `Prisma.sql\`(p.order_id = \${orderId}::uuid OR p.paid_order_id = \${orderId}::uuid) AND p.refund_at IS NOT NULL ORDER BY p.id\`,`,
      'money that is owed has a planned refund, which the audit proves: the condition only saves locks',
      [['condition gone', ' AND p.refund_at IS NOT NULL', '']],
    ),
  ),
  ...inFile('core/postgres/money/late-money.ts', [
    ...onLine('return order?.ended ?? false;', 'each payment has an order', [
      ['OptionalChaining', 'order?.ended', 'order.ended'],
    ]),
    ...onLine(
      `WHERE id = \${payment.orderId}::uuid AND status = 'cancelled'\`);`,
      'an order that has ended without a capture is cancelled',
      [['condition gone', " AND status = 'cancelled'", '']],
    ),
  ]),
  ...inFile(
    'core/postgres/money/payment-change.ts',
    onLine('const more = target - Number(row?.booked ?? 0n);', 'a SELECT of a sum has a row', [
      ['OptionalChaining', 'row?.booked', 'row.booked'],
    ]),
  ),
  ...inFile(
    'core/postgres/money/payment-report.ts',
    onLine('(payment.paymentId !== null || orderId !== undefined)', 'a payment without an id was found by its order', [
      ['ConditionalExpression', 'payment.paymentId !== null || orderId !== undefined', 'true'],
    ]),
  ),
  ...inFile(
    'core/postgres/money/payment.ts',
    onLine(
      'return amount === null ? null : { amountMinor: Number(amount), fromMinor: Number(from) };',
      'a refund of 0 is always answered',
      [['ConditionalExpression', 'amount === null', 'false']],
    ),
  ),
  ...inFile('core/postgres/money/pay.ts', [
    ...onLine("if (payment?.paid === 1n) return 'paid';", 'a SELECT of two counts has a row', [
      ['OptionalChaining', 'payment?.paid', 'payment.paid'],
    ]),
    ...onLine(
      "return payment?.due === 1n ? 'insufficient_funds' : 'not_payable';",
      'a SELECT of two counts has a row',
      [['OptionalChaining', 'payment?.due', 'payment.due']],
    ),
    ...onLine(
      "WHERE a.kind = 'buyer' AND a.owner = due.buyer_id AND a.currency = due.currency AND a.balance_minor >= due.amount_minor",
      'a CHECK lets only the accounts of buyers have a balance',
      [['condition gone', "a.kind = 'buyer' AND ", '']],
    ),
  ]),
  ...inFile(
    'core/postgres/money/refund.ts',
    onLine(
      "FROM returned WHERE a.id = returned.credit_account_id AND a.kind = 'buyer'),",
      'a CHECK lets only the accounts of buyers have a balance',
      [['condition gone', " AND a.kind = 'buyer'", '']],
    ),
  ),
  ...inFile(
    'core/values/address.ts',
    onLine(
      'return url(/^https?:$/, example).refine(text => !new URL(text).username && !new URL(text).password, {',
      'the protocol of a URL ends with its only colon',
      [['Regex', '/^https?:$/', '/^https?:/']],
    ),
  ),
  ...inFile('core/values/text.ts', [
    ...onLine("const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });", 'graphemes are the default', [
      ['ObjectLiteral', "{ granularity: 'grapheme' }", '{}'],
    ]),
    ...onLine(
      'const code = FORBIDDEN.exec(text)?.[0].codePointAt(0) ?? 0;',
      'only a text with such a character is given',
      [['OptionalChaining', 'FORBIDDEN.exec(text)?.[0]', 'FORBIDDEN.exec(text)[0]']],
    ),
  ]),
];
