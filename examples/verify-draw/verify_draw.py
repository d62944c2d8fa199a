#!/usr/bin/env python3
"""Verifies a draw of Dropline from what is published of it, by the algorithm of docs/fairness.md.

  python3 verify_draw.py https://shop.example/draws/drop-1      what the sale publishes
  python3 verify_draw.py ./export                               a folder that `cli draw export` has written

It needs Python 3.8 and nothing else, and shares no code with Dropline. Exit codes: 0 everything agrees, 1 something does not.
"""

import argparse
import hashlib
import json
import os
import sys
import urllib.request

ENTRY_BYTES, NUMBER_BYTES = 40, 8
CHUNK_ENTRIES = 1024


def sha256(data):
    return hashlib.sha256(data).digest()


def root_of(nodes):
    """The root of the Merkle tree of RFC 9162, section 2.1.1. Neighbours have a parent; the last of an odd number is its own."""
    while len(nodes) > 1:
        parents = [sha256(b'\x01' + nodes[i] + nodes[i + 1]) for i in range(0, len(nodes) - 1, 2)]
        nodes = parents + nodes[len(nodes) - len(nodes) % 2:]
    return nodes[0] if nodes else sha256(b'')


def read(source, path):
    """Reads a file of the folder or of the address."""
    if not source.startswith(('http://', 'https://')):
        with open(os.path.join(source, path or 'about.json'), 'rb') as file:
            return file.read()
    with urllib.request.urlopen(source.rstrip('/') + ('/' + path if path else ''), timeout=30) as answer:
        return answer.read()


def read_late(source):
    """The entries that came back after the list was closed. Only a folder has them."""
    path = os.path.join(source, 'late.json')
    return [bytes.fromhex(entry) for entry in json.load(open(path))['entries']] if os.path.exists(path) else []


def check_list(source, about, faults):
    """Reads the whole list, and compares it with its root. Returns its entries."""
    entries, leaves, chunks = [], [], -(-about['entries'] // CHUNK_ENTRIES)
    for number in range(chunks):
        chunk = read(source, f'entries/{number}')
        expected = min(CHUNK_ENTRIES, about['entries'] - number * CHUNK_ENTRIES) * ENTRY_BYTES
        if len(chunk) != expected:
            faults.append(f'chunk {number} has {len(chunk)} bytes, and not {expected}')
        entries += [chunk[at:at + ENTRY_BYTES] for at in range(0, len(chunk), ENTRY_BYTES)]
    if os.path.exists(os.path.join(source, 'entries', str(chunks))):
        faults.append(f'there is a chunk {chunks}, and the list should have {chunks} chunks')
    for before, entry in zip(entries, entries[1:]):
        if entry[:NUMBER_BYTES] < before[:NUMBER_BYTES]:
            faults.append(f'entry {number_of(entry)} comes after entry {number_of(before)}')
    root = root_of([sha256(b'\x00' + entry) for entry in entries]).hex()
    if root != about['root']:
        faults.append(f"the root of the entries is {root}, and not {about['root']}")
    return entries


def number_of(entry):
    return int.from_bytes(entry[:NUMBER_BYTES], 'big')


def order_of(about, entries, late):
    """Returns (lot, number, whether the entry is late) of every entry, the first of the order first."""
    key = sha256(bytes.fromhex(about['seed']) + bytes.fromhex(about['root']) + about['value'].encode())
    lots = [(int.from_bytes(sha256(key + entry[NUMBER_BYTES:])[:8], 'big') >> 12, number_of(entry)) for entry in entries]
    lots += [(int.from_bytes(sha256(key + entry[NUMBER_BYTES:])[:8], 'big') >> 12, number_of(entry), True) for entry in late]
    return sorted(lots)


def check_buyer(args, entries, order, faults):
    """Checks the entry of one buyer, and prints the place that follows."""
    mine = [entry for entry in entries if number_of(entry) == args.number]
    if args.buyer is not None:
        own = sha256(bytes.fromhex(args.salt) + args.buyer.encode())
        mine = [entry for entry in mine if entry[NUMBER_BYTES:] == own]
    if not mine:
        return faults.append(f'the list has no entry {args.number}' + (f' of {args.buyer}' if args.buyer is not None else ''))
    place = next((at for at, placed in enumerate(order, 1) if placed[1] == args.number), None)
    print(f'entry {args.number} is in the list' + (f', and has place {place} of {len(order)}' if place else ''))
    if args.place is not None and place != args.place:
        faults.append(f'entry {args.number} has place {place}, and not {args.place}')


def main():
    parser = argparse.ArgumentParser(description='verify a draw of Dropline from what is published of it')
    parser.add_argument('source', help='the address /draws/SALE, or a folder of `cli draw export`')
    parser.add_argument('--commitment', help='the commitment that you have noted before the opening')
    parser.add_argument('--first', type=int, default=10, help='print the first entries of the order (10)')
    parser.add_argument('--number', type=int, help='check the entry with this number')
    parser.add_argument('--buyer', help='it must be of the buyer with this id: needs --number and --salt')
    parser.add_argument('--salt', help="the buyer's salt, 32 hexadecimal digits")
    parser.add_argument('--place', type=int, help='it must have this place in the order: needs --number')
    args = parser.parse_args()
    if (args.buyer is None) != (args.salt is None) or (args.number is None and (args.buyer or args.place)):
        parser.error('--buyer and --salt go together, and need --number, as --place does')
    about, faults = json.loads(read(args.source, '')), []
    if args.commitment and args.commitment.lower() != about['commitment']:
        faults.append(f"the commitment is {about['commitment']}, and not {args.commitment}")
    if 'root' not in about:
        print('the list is not closed yet: come back after the opening')
        return finish(faults)
    late = read_late(args.source)
    late_count = about.get('lateEntries', len(late))
    if os.path.isdir(args.source) and late_count != len(late):
        faults.append(f'there are {len(late)} late entries, and not {late_count}')
    entries, order = check_list(args.source, about, faults), []
    if 'seed' in about:
        if sha256(bytes.fromhex(about['seed'])).hex() != about['commitment']:
            faults.append('the SHA-256 of the seed is not the commitment')
        order = order_of(about, entries, late)
    print(f"{len(entries)} entries and {late_count} late ones, root {about['root']}")
    print(f"commitment {about['commitment']}, public value: {about.get('value') or '-'} ({about.get('valueSource', 'none')})")
    if late_count > len(late):
        print('the order lacks the late entries: only `cli draw export` has them')
    for place, (lot, number, *is_late) in enumerate(order[:args.first], 1):
        print(f"  {place}. entry {number}{' (late)' if is_late else ''}  lot {lot}")
    if args.number is not None:
        check_buyer(args, entries + late, order, faults)
    return finish(faults, 'everything agrees' if order else 'everything agrees so far; the order is not decided yet')


def finish(faults, text='everything agrees so far'):
    for fault in faults:
        print(f'DIFFERENCE: {fault}')
    print('SOMETHING DOES NOT AGREE' if faults else text)
    return 1 if faults else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError) as error:
        print(f'SOMETHING DOES NOT AGREE: {error!r}')
        sys.exit(1)
