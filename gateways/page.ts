/**
 * Returns whether a gateway's answer names a page of that gateway: at the host of its API, or at one of its hosts for pages. The page must not use
 * HTTP if the API uses HTTPS, and its URL must contain no credentials.
 */
export function isGatewayPage(pageUrl: string, baseUrl: string, isPageHost: (page: URL) => boolean): boolean {
  if (!URL.canParse(pageUrl)) {
    return false;
  }
  const page = new URL(pageUrl);
  const base = new URL(baseUrl);
  return (
    (page.protocol === 'https:' || page.protocol === base.protocol) &&
    page.username === '' &&
    page.password === '' &&
    (page.host === base.host || isPageHost(page))
  );
}
