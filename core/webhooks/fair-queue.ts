/** A bounded queue that serves its keys in turn, so that many items of one key do not delay those of another. First in, first out for each key. */
export class FairQueue<Item> {
  private readonly lines = new Map<string, Item[]>();
  private readonly max: number;
  private readonly maxPerKey: number;
  private count = 0;

  constructor({ max, maxPerKey }: { readonly max: number; readonly maxPerKey: number }) {
    this.max = max;
    this.maxPerKey = maxPerKey;
  }

  /** Returns false if the queue, or the key's part of it, is full. */
  put(key: string, item: Item): boolean {
    const line = this.lines.get(key) ?? [];
    if (this.count >= this.max || line.length >= this.maxPerKey) {
      return false;
    }
    line.push(item);
    this.lines.set(key, line);
    this.count += 1;
    return true;
  }

  /** Takes the next item whose key has room. `enter` claims the room. */
  take(enter: (key: string) => boolean): Item | undefined {
    for (const [key, line] of this.lines) {
      if (enter(key)) {
        const item = line.shift();
        this.lines.delete(key);
        if (line.length > 0) {
          // Reinserted at the end, behind every other key.
          this.lines.set(key, line);
        }
        this.count -= 1;
        return item;
      }
    }
    return undefined;
  }

  /** Removes and returns everything. */
  drain(): Item[] {
    const items = [...this.lines.values()].flat();
    this.lines.clear();
    this.count = 0;
    return items;
  }
}
