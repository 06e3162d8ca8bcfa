/** Below the pages' origin. */
export function operatorLinkPath(token: string): string {
  return `/operator-link/${token}`;
}
