/** Seeds that once showed a defect, and what it was. Every run plays them first. */
export const PINNED_SEEDS: ReadonlyMap<number, string> = new Map([
  [3_131, 'a payment that its payer had called off expired when a worker died before it could tell'],
  [23_106, 'late money whose confirmation contradicts itself is left to people, which is no loss'],
  [41_490, 'a worker that stood still overwrote a confirmed attempt'],
  [49_590, 'a worker that stood still overwrote a confirmed attempt'],
  [64_111, 'callbacks of a payment under review were swept for ever'],
]);
