import type { Browser, BrowserContextOptions, Page, Request } from 'playwright-core';
import { PATIENCE_MS } from '../support/until.ts';

/** A page with everything on it that should not have happened. */
export interface WatchedPage {
  readonly page: Page;
  readonly complaints: string[];
}

/**
 * Opens a page that records console messages, CSP reports, errors, dialogs, and requests to other origins than `origins`.
 */
export async function openWatchedPage({
  browser,
  origins,
  options = {},
}: {
  browser: Browser;
  origins: readonly string[];
  options?: BrowserContextOptions;
}): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const goesOut = (request: Request): boolean => !origins.some((origin) => request.url().startsWith(`${origin}/`));
  page.on('requestfinished', (request) => goesOut(request) && complaints.push(`request: ${request.url()}`));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    if (goesOut(request) && reason !== 'csp') {
      complaints.push(`request: ${request.url()} ${reason}`);
    }
  });
  return { page, complaints };
}
