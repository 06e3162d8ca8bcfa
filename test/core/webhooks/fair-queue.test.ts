import { expect, test } from '@jest/globals';
import { FairQueue } from '../../../core/webhooks/fair-queue.ts';

const always = (): boolean => true;

function takeAll<Item>(queue: FairQueue<Item>, enter: (key: string) => boolean = always): Item[] {
  const taken: Item[] = [];
  for (let item = queue.take(enter); item !== undefined; item = queue.take(enter)) {
    taken.push(item);
  }
  return taken;
}

test('serves keys in turn, and the items of a key in their order', () => {
  // One application's burst must not delay the first event of another.
  const queue = new FairQueue<string>({ max: 10, maxPerKey: 10 });
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) {
    expect(queue.put(item.slice(0, 1), item)).toBe(true);
  }
  expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
});

test('passes over a key without room, and serves it first once it has room', () => {
  // A receiver that hangs holds its own events only.
  const queue = new FairQueue<string>({ max: 10, maxPerKey: 10 });
  queue.put('hanging', 'h1');
  queue.put('healthy', 'w1');
  queue.put('healthy', 'w2');
  expect(takeAll(queue, (key) => key !== 'hanging')).toEqual(['w1', 'w2']);
  expect(takeAll(queue)).toEqual(['h1']);
});

test('claims room only for the item that it returns', () => {
  // A claimed place that nobody leaves would close the endpoint for ever.
  const queue = new FairQueue<string>({ max: 10, maxPerKey: 10 });
  const entered: string[] = [];
  const enter = (key: string): boolean => entered.push(key) > 0;
  expect(queue.take(enter)).toBeUndefined();
  queue.put('a', 'a1');
  queue.put('b', 'b1');
  expect(queue.take(enter)).toBe('a1');
  expect(entered).toEqual(['a']);
});

test('refuses what exceeds the bound of all or of one key, and has room again after an item was taken', () => {
  // The process holds each waiting event in memory.
  const queue = new FairQueue<number>({ max: 3, maxPerKey: 2 });
  expect([queue.put('a', 1), queue.put('a', 2), queue.put('a', 3)]).toEqual([true, true, false]);
  expect([queue.put('b', 4), queue.put('b', 5), queue.put('c', 6)]).toEqual([true, false, false]);
  expect(queue.take(always)).toBe(1);
  expect(queue.put('c', 6)).toBe(true);
  expect(queue.put('c', 7)).toBe(false);
});

test('gives up everything at once when it is drained', () => {
  const queue = new FairQueue<number>({ max: 5, maxPerKey: 5 });
  queue.put('a', 1);
  queue.put('b', 2);
  queue.put('a', 3);
  expect(queue.drain().toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  expect(queue.take(always)).toBeUndefined();
  expect(queue.put('a', 4)).toBe(true);
});
