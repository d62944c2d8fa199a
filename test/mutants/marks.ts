/** A mutant that is known to survive, and why. */
export interface Mark {
  file: string;
  /** The first line of text that the mutant changes, without its indentation. */
  line: string;
  operator: string;
  /** The piece of text, and the text instead of it. */
  original: string;
  replacement: string;
  /** `equivalent`: no test can notice the mutant, as nothing that a user sees differs. `open`: a test could, and there is none. */
  kind: 'equivalent' | 'open';
  reason: string;
}

/** Marks of mutants in a file that no test can notice. */
const inFile = (file: string, marks: Omit<Mark, 'file' | 'kind'>[]): Mark[] =>
  marks.map(mark => ({ file, kind: 'equivalent', ...mark }));

const inScript = (name: string, marks: Omit<Mark, 'file' | 'kind'>[]): Mark[] =>
  inFile(`core/redis/lua/${name}.lua`, marks);

/** Marks with the same reason on one line. */
const onLine = (line: string, reason: string, changes: [operator: string, original: string, replacement: string][]) =>
  changes.map(([operator, original, replacement]) => ({ line, operator, original, replacement, reason }));

/** All marks. A mark that fits no mutant any more fails test/unit/mutants/marks.test.ts. */
export const MARKS: readonly Mark[] = [
  ...inFile('core/rules/money.ts', [
    ...onLine(
      'const [, whole, decimals] = /^(\\d{1,12})[.,](\\d{1,3})$/.exec(text) ?? [];',
      'no element of the list is read but the second and the third',
      [['ArrayDeclaration', '[]', '["Stryker was here"]']],
    ),
    ...onLine(
      'if (whole === undefined || decimals === undefined || decimals.length > digits) return undefined;',
      'a text has both parts or none',
      [
        [
          'LogicalOperator',
          'whole === undefined || decimals === undefined',
          '(whole === undefined && decimals === undefined)',
        ],
        ['ConditionalExpression', 'whole === undefined', 'false'],
        ['ConditionalExpression', 'decimals === undefined', 'false'],
      ],
    ),
  ]),
  ...inFile(
    'core/rules/payment-money.ts',
    onLine('refunded: [],', 'no status has this name', [['ArrayDeclaration', '[]', '["Stryker was here"]']]),
  ),
  ...inFile('core/rules/refund.ts', [
    ...onLine(
      'const { money } = takeReport(before, report, { payable: false });',
      'a payment with a refund has taken its money, so nothing asks whether it may',
      [
        ['ObjectLiteral', '{ payable: false }', '{}'],
        ['BooleanLiteral', 'false', 'true'],
      ],
    ),
  ]),
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
    'core/postgres/money/payment.ts',
    onLine(
      'return amount === null ? null : { amountMinor: Number(amount), fromMinor: Number(from) };',
      'a refund of 0 is always answered',
      [['ConditionalExpression', 'amount === null', 'false']],
    ),
  ),
  ...inFile(
    'core/postgres/money/payment-change.ts',
    onLine('const more = target - Number(row?.booked ?? 0n);', 'a SELECT of a sum has a row', [
      ['OptionalChaining', 'row?.booked', 'row.booked'],
    ]),
  ),
  ...inFile(
    'core/postgres/money/refund.ts',
    onLine(
      "FROM returned WHERE a.id = returned.credit_account_id AND a.kind = 'buyer'),",
      'a CHECK lets only the accounts of buyers have a balance',
      [['condition gone', " AND a.kind = 'buyer'", '']],
    ),
  ),
  ...inFile(
    'core/postgres/money/payment-report.ts',
    onLine('(payment.paymentId !== null || orderId !== undefined)', 'a payment without an id was found by its order', [
      ['ConditionalExpression', 'payment.paymentId !== null || orderId !== undefined', 'true'],
    ]),
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
  ...inFile('core/values/redis-address.ts', [
    ...onLine('const scheme = /^([a-z+]+):/i.exec(text)?.[1]?.toLowerCase();', 'a text that matches has a scheme', [
      ['OptionalChaining', '/^([a-z+]+):/i.exec(text)?.[1]?.toLowerCase', '/^([a-z+]+):/i.exec(text)?.[1].toLowerCase'],
    ]),
    ...onLine(
      "const [, username = '', password = '', hosts = '', name = '', db = ''] = SENTINEL.exec(text) ?? [];",
      'no element of the list is read but the second and later ones',
      [['ArrayDeclaration', '[]', '["Stryker was here"]']],
    ),
    ...onLine("const [matched, host = '', port] = HOST.exec(text) ?? [];", 'a text that matches has a host', [
      ['StringLiteral', "''", '"Stryker was here!"'],
    ]),
  ]),
  ...inScript('set-sale', [
    {
      line: "publish(KEYS[1], '-', '-', fence(KEYS[1]) ~= 'ok' and 'unverified' or nil)",
      operator: 'condition gone',
      original: ' or nil',
      replacement: '',
      reason: 'with false as with nil, the message has the state of the sale',
    },
  ]),
  ...inScript('restore-claim', [
    {
      line: "if is_live(record) or has_ended and claim.claim_id > ARGV[2] then return { 'ok', 'other_claim' } end",
      operator: 'comparison turned',
      original: '>',
      replacement: '>=',
      reason: 'a claim with the same id has returned before',
    },
    {
      line: "if redis.call('LREM', KEYS[2], 1, ARGV[3]) == 0 then return { 'ok', 'unit_taken' } end",
      operator: 'number off',
      original: '1',
      replacement: '0',
      reason: 'a unit is in stock at most once',
    },
  ]),
  ...inScript('record-status', [
    {
      line: "if #claims > 0 then redis.call('HSET', KEYS[2], unpack(claims)) end",
      operator: 'number off',
      original: '0',
      replacement: '1',
      reason: 'the list has two elements for each claim',
    },
  ]),
  ...inScript('claim', [
    {
      line: "local rank = refused == '' and cap > 0 and redis.call('ZRANK', KEYS[5], buyer)",
      operator: 'condition gone',
      original: ' and cap > 0',
      replacement: '',
      reason: 'without room on standby nobody is there: the condition only saves a call',
    },
    {
      line: 'elseif seen[buyer] and outcomes[i] == seen[buyer] then',
      operator: 'condition gone',
      original: 'seen[buyer] and ',
      replacement: '',
      reason: 'an outcome is never nil there',
    },
  ]),
  ...inScript('open-sale', [
    {
      line: "local version = math.max(now_ms(), tonumber(redis.call('HGET', KEYS[1], 'version') or 0) + 2)",
      operator: 'number off',
      original: '0',
      replacement: '1',
      reason: 'the time is greater than either',
    },
  ]),
  ...inScript('decide-layout', [
    {
      line: "if string.sub(field, 1, 1) ~= '@' then return 'sale' end",
      operator: 'number off',
      original: '1',
      replacement: '0',
      reason: 'string.sub takes 0 for the first letter, as it does 1',
    },
  ]),
  ...inScript('include/claim-id', [
    {
      line: 'local last = tonumber(string.sub(record, 1, 8) .. string.sub(record, 10, 13), 16) or 0',
      operator: 'condition gone',
      original: ' or 0',
      replacement: '',
      reason: 'the id of each claim is a UUID, so its beginning is a number',
    },
    {
      line: 'local last = tonumber(string.sub(record, 1, 8) .. string.sub(record, 10, 13), 16) or 0',
      operator: 'number off',
      original: '1',
      replacement: '0',
      reason: 'string.sub takes 0 for the first letter, as it does 1',
    },
    {
      line: 'local last = tonumber(string.sub(record, 1, 8) .. string.sub(record, 10, 13), 16) or 0',
      operator: 'number off',
      original: '0',
      replacement: '1',
      reason: 'the time is greater than either',
    },
  ]),
  ...inScript('include/generation', [
    {
      line: 'return math.max(tonumber(told[1] or 0), tonumber(told[2] or 0))',
      operator: 'number off',
      original: '0',
      replacement: '1',
      reason: 'generations begin at 1, so 1 is later than none',
    },
  ]),
  ...inScript('include/record', [
    {
      line: 'local RANK = { queued = 0, pending_payment = 1, paid = 2, cancelled = 3, rejected = 3, refunded = 3 }',
      operator: 'number off',
      original: '3',
      replacement: '4',
      reason: 'an ended claim never changes, so its rank is only compared with lower ones',
    },
  ]),
  ...inScript('read-status', [
    {
      line: "local on_standby = redis.call('ZCARD', KEYS[3]) > 0",
      operator: 'comparison turned',
      original: '>',
      replacement: '>=',
      reason: 'nobody has a rank on an empty standby: the condition only saves calls',
    },
    {
      line: "local rank = on_standby and not (records[i] and is_live(record)) and redis.call('ZRANK', KEYS[3], buyer)",
      operator: 'condition gone',
      original: 'on_standby and ',
      replacement: '',
      reason: 'nobody has a rank on an empty standby: the condition only saves calls',
    },
  ]),
  ...inScript('include/purchases', [
    {
      line: "local pause = rules.interval_ms > 0 and redis.call('PTTL', interval_key(buyer)) or -2",
      operator: 'number off',
      original: '0',
      replacement: '1',
      reason: 'a pause is 0 or at least 1,000 ms',
    },
    {
      line: "if rules.interval_ms > redis.call('PTTL', interval_key(buyer)) and rules.interval_ms > 0 then",
      operator: 'number off',
      original: '0',
      replacement: '1',
      reason: 'a pause is 0 or at least 1,000 ms',
    },
    {
      line: "if rules.one and redis.pcall('GET', purchase_key(buyer)) == claim_id then redis.call('DEL', purchase_key(buyer)) end",
      operator: 'condition gone',
      original: 'rules.one and ',
      replacement: '',
      reason: 'without the rule no lock has the id of a claim: the condition only saves a call',
    },
  ]),
  ...inFile('nginx/nginx.conf', [
    ...onLine('"~^(?<before_query>[^?]*)" $before_query;', 'the pattern fits at the first letter of each text', [
      ['pattern wider', '^', ''],
    ]),
    ...onLine('"~(?s)^(?<network>.{8})" $network;', 'the pattern fits at the first byte of each address of 16 bytes', [
      ['pattern wider', '^', ''],
    ]),
    ...onLine('"~^(?<whole_second>\\d+)" $whole_second;', 'the time begins with a digit', [['pattern wider', '^', '']]),
    ...onLine('large_client_header_buffers 4 8k;', 'these are the sizes that nginx has by default', [
      ['directive gone', 'large_client_header_buffers 4 8k;', ''],
    ]),
    ...onLine('proxy_cache_valid 200 404 503 1s;', 'the key has the second, so no answer is asked for after it', [
      ['limit ten times', '1', '10'],
    ]),
  ]),
  {
    file: 'nginx/waiting.conf',
    line: 'proxy_read_timeout 35s;',
    operator: 'limit ten times',
    original: '35',
    replacement: '350',
    kind: 'open',
    reason: 'a test would take 35 s',
  },
];
