import { inFile, inScript, type Mark, onLine } from './marks/mark.js';
import { MONEY_MARKS } from './marks/money-marks.js';

/** All marks. A mark that fits no mutant any more fails test/unit/mutants/marks.test.ts. */
export const MARKS: readonly Mark[] = [
  ...MONEY_MARKS,
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
  ...inScript('include/clicks/standby', [
    {
      line: "local rank = line.cap > 0 and redis.call('ZRANK', line.key, click.buyer)",
      operator: 'condition gone',
      original: 'line.cap > 0 and ',
      replacement: '',
      reason: 'without room on standby nobody is there: the condition only saves a call',
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
  ...inScript('take-locks', [
    {
      line: 'if not last[1] or string.sub(last[1], 1, #sale) == sale then return nil end',
      operator: 'number off',
      original: '1',
      replacement: '0',
      reason: 'string.sub takes 0 for the first letter, as it does 1',
    },
    {
      line: "redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))",
      operator: 'writes swapped',
      original:
        "redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))\n    redis.call('ZADD', key, string.format('%.0f', now + lifetime), ARGV[2])",
      replacement:
        "redis.call('ZADD', key, string.format('%.0f', now + lifetime), ARGV[2])\n    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now))",
      reason: 'what is added ends later than what is removed',
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
