/** Seeds that once revealed a defect, with its description. Every run plays them first. */
export const PINNED_PAYOUT_SEEDS: ReadonlyMap<number, string> = new Map([]);
