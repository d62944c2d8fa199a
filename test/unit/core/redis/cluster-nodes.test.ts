import { describe, expect, test } from '@jest/globals';
import { type Node, parseNodes, strangersIn, type View } from '#core/redis/server/cluster-nodes.js';

// Lines as Redis 7.0 and 8.0 send them.
const ID = '07c37dfeb235213a872192d90877d0cd55635b91';
const OTHER_ID = '67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1';
const ASKED = { host: 'asked.example', port: 7_000 };

const line = (where: string, rest: string, id = ID): string => `${id} ${where} ${rest}`;
const primary = (where: string, ...slots: string[]): string =>
  line(where, ['master - 0 1426238316232 2 connected', ...slots].join(' '));
const parsed = (...lines: string[]): Node[] => parseNodes(`${lines.join('\n')}\n`, ASKED);
const slotsOf = (...slots: string[]) => parsed(primary('10.0.0.1:6379@16379', ...slots))[0]?.slots;

describe('the reply of CLUSTER NODES', () => {
  test('names each node with its address, epoch and slots', () => {
    const replica = line('10.0.0.2:6380@16380', `slave ${ID} 0 1426238317239 4 connected`, OTHER_ID);
    expect(parsed(primary('10.0.0.1:6379@16379', '0-5460'), replica)).toEqual([
      { id: ID, address: { host: '10.0.0.1', port: 6_379 }, epoch: 2, slots: [[0, 5_460]] },
      { id: OTHER_ID, address: { host: '10.0.0.2', port: 6_380 }, epoch: 4, slots: [] },
    ]);
  });

  test.each<[text: string, slots: string[], expected: [number, number][]]>([
    ['no slot', [], []],
    ['one slot', ['7'], [[7, 7]]],
    [
      'several ranges',
      ['0-99', '200', '16380-16383'],
      [
        [0, 99],
        [200, 200],
        [16_380, 16_383],
      ],
    ],
    ['a slot that leaves it, and is still its own', ['0-99', `[93->-${OTHER_ID}]`], [[0, 99]]],
    ['a slot that comes, and is not its own yet', ['0-99', `[100-<-${OTHER_ID}]`], [[0, 99]]],
  ])('of a primary with %s says so', (_, slots, expected) => {
    expect(slotsOf(...slots)).toEqual(expected);
  });

  test.each<[where: string, host: string, port: number]>([
    ['10.0.0.1:6379@16379', '10.0.0.1', 6_379],
    ['10.0.0.1:6379', '10.0.0.1', 6_379],
    ['2001:db8::1:6379@16379', '2001:db8::1', 6_379],
    ['10.0.0.1:6379@16379,node-1.example', 'node-1.example', 6_379],
    ['10.0.0.1:6379@16379,', '10.0.0.1', 6_379],
    ['10.0.0.1:6379@16379,,tls-port=0,shard-id=69bc0c8b', '10.0.0.1', 6_379],
    ['10.0.0.1:6379@16379,node-1.example,tls-port=0,shard-id=69bc0c8b', 'node-1.example', 6_379],
    // A node without a peer does not know its own address.
    [':6379@16379', 'asked.example', 6_379],
    [':6379@16379,node-1.example', 'node-1.example', 6_379],
  ])('the address %s is %s, port %i', (where, host, port) => {
    expect(parsed(primary(where, '0-5'))).toEqual([{ id: ID, address: { host, port }, epoch: 2, slots: [[0, 5]] }]);
  });

  test.each([
    ['whose address is unknown', line(':0@0', 'master,noaddr - 1426238316232 1426238316232 3 disconnected 5')],
    ['that was at an address once', line('10.0.0.9:6379@16379', 'master,noaddr - 0 0 3 disconnected 5')],
    ['that has not met the others yet', line('10.0.0.9:6379@16379', 'handshake - 0 0 0 connected')],
    ['without a port', line('10.0.0.9:0@0', 'master - 0 0 3 connected 5')],
    ['of a text that is none', 'nothing'],
  ])('leaves out a node %s, and no other', (_, left) => {
    expect(parsed(left, primary('10.0.0.1:6379@16379'), left)).toHaveLength(1);
  });

  test.each(['myself,master', 'master,fail', 'master,fail?', 'master,nofailover'])(
    'a primary with the flags %s keeps its slots: the others say whether somebody has taken over',
    flags => {
      expect(parsed(line('10.0.0.1:6379@16379', `${flags} - 0 0 9 connected 1-2`))).toEqual([
        { id: ID, address: { host: '10.0.0.1', port: 6_379 }, epoch: 9, slots: [[1, 2]] },
      ]);
    },
  );
});

describe('nodes that know', () => {
  /** The view of a node that knows nodes, of which the first serves slots. */
  const view = (asked: string, ...known: string[]): View => ({
    asked,
    nodes: known.map((id, i) => ({
      id,
      address: { host: id, port: 6_379 },
      epoch: 1,
      slots: i === 0 ? [[0, 99]] : [],
    })),
  });
  const withoutSlots = ({ asked, nodes }: View): View => ({
    asked,
    nodes: nodes.map(node => ({ ...node, slots: [] })),
  });

  test.each<[what: string, views: View[]]>([
    ['nobody, as none answers', []],
    ['each other', [view('one', 'a', 'b'), view('two', 'b', 'a')]],
    ['a third one', [view('one', 'a', 'b'), view('two', 'c', 'b')]],
    ['each other only through others', [view('one', 'a', 'b'), view('two', 'd', 'c'), view('three', 'b', 'c')]],
    ['nobody, as one has left the cluster', [view('one', 'a', 'b'), withoutSlots(view('two', 'c'))]],
    ['nobody, and have no slots yet', [withoutSlots(view('one', 'a')), withoutSlots(view('two', 'b'))]],
  ])('%s may belong to one cluster', (_, views) => {
    expect(strangersIn(views)).toBeUndefined();
  });

  test.each<[what: string, views: View[], strangers: string[]]>([
    ['none in common', [view('one', 'a', 'b'), view('two', 'c', 'd')], ['one', 'two']],
    [
      'none in common, beside others of the same cluster',
      [withoutSlots(view('alone', 'x')), view('one', 'a'), view('two', 'b', 'a'), view('three', 'c')],
      ['one', 'three'],
    ],
  ])('%s belong to different clusters', (_, views, strangers) => {
    expect(strangersIn(views)).toEqual(strangers);
  });
});
