/** Returns a path relative to the origin of the pages. */
export function operatorLinkPath(token: string): string {
  return `/operator-link/${token}`;
}
