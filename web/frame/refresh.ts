// The refresh interval by how long the page has waited. After the last row it no longer refreshes by itself.
const schedule = [
  { underAgeSeconds: 20, everySeconds: 3 },
  { underAgeSeconds: 60, everySeconds: 5 },
  { underAgeSeconds: 300, everySeconds: 15 },
  { underAgeSeconds: 3_600, everySeconds: 60 },
  { underAgeSeconds: 86_400, everySeconds: 300 },
] as const;

/**
 * Returns the seconds until a waiting page should refresh, or null if it should not. It depends only on the time since the waiting began and needs no
 * counter in the URL: a page left open overnight makes a few hundred requests, not thousands.
 */
export function waitingRefreshSeconds({ since, now }: { since: Date; now: Date }): number | null {
  const ageSeconds = (now.getTime() - since.getTime()) / 1000;
  return schedule.find(({ underAgeSeconds }) => ageSeconds < underAgeSeconds)?.everySeconds ?? null;
}
