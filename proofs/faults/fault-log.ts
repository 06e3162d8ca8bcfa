/** What was done to the stack in a round, and what its processes did because of it. */
export interface FaultLog {
  /** Notes that a dial was turned and took effect. */
  fired(names: readonly string[], words: string): void;
  note(words: string): void;
  readonly lines: readonly string[];
  /** Times each dial took effect. */
  readonly counts: ReadonlyMap<string, number>;
}

export function openFaultLog(): FaultLog {
  const begun = Date.now();
  const lines: string[] = [];
  const counts = new Map<string, number>();
  const write = (words: string): void => void lines.push(`${((Date.now() - begun) / 1_000).toFixed(3)} ${words}`);
  return {
    lines,
    counts,
    note: write,
    fired(names, words) {
      write(words);
      names.forEach((name) => counts.set(name, (counts.get(name) ?? 0) + 1));
    },
  };
}
