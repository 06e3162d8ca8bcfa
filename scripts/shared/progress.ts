const QUIET_MS = 2_000;
const REPEAT_MS = 5_000;

/** Waits for `work`. Prints a message if it takes longer than two seconds, and again every five seconds. */
export async function withProgress<T>(
  what: string,
  { work, say }: { work: Promise<T>; say: (line: string) => void },
): Promise<T> {
  const started = Date.now();
  const report = () => say(`${what} … ${Math.round((Date.now() - started) / 1000)} s`);
  let repeated: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    report();
    repeated = setInterval(report, REPEAT_MS);
  }, QUIET_MS);
  try {
    return await work;
  } finally {
    clearTimeout(first);
    clearInterval(repeated);
  }
}
