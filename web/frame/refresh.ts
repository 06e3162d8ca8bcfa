// How old the waiting is → how long until the page looks again. After the last row it no longer looks by itself.
const schedule = [
  { underAgeSeconds: 20, everySeconds: 3 },
  { underAgeSeconds: 60, everySeconds: 5 },
  { underAgeSeconds: 300, everySeconds: 15 },
  { underAgeSeconds: 3_600, everySeconds: 60 },
  { underAgeSeconds: 86_400, everySeconds: 300 },
] as const;

/**
 * Seconds until a page that waits for somebody else should look again, or null when it should not. It needs no counter
 * in the URL: the time since the waiting began decides, so a page left open over night costs a few hundred requests,
 * not thousands.
 */
export function waitingRefreshSeconds({ since, now }: { since: Date; now: Date }): number | null {
  const ageSeconds = (now.getTime() - since.getTime()) / 1000;
  return schedule.find(({ underAgeSeconds }) => ageSeconds < underAgeSeconds)?.everySeconds ?? null;
}
