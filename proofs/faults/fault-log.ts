/** The faults of a round and what the processes did because of them. */
export interface FaultLog {
  /** Records that a dial was used and took effect. */
  fired(names: readonly string[], words: string): void;
  note(words: string): void;
  readonly lines: readonly string[];
  /** How often each dial took effect. */
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
