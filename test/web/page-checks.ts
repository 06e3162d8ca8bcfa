import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/** Widths in CSS pixels: the smallest phone in use, a common phone, a desktop. */
export const SCREENS = [320, 390, 1280] as const;

/** Finds every amount, in either script, that is on two lines or extends beyond its card. */
const BROKEN_AMOUNTS = `(() => {
  const found = [];
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    const card = (text.parentElement.closest('article') ?? document.body).getBoundingClientRect();
    for (const amount of text.data.matchAll(/[\\d০-৯][\\d০-৯,]*[.][\\d০-৯]{2,3}/g)) {
      const range = document.createRange();
      range.setStart(text, amount.index);
      range.setEnd(text, amount.index + amount[0].length);
      const lines = [...range.getClientRects()].filter(({ width }) => width > 0);
      const isWithin = lines.every(({ left, right }) => left >= card.left && right <= card.right);
      if (new Set(lines.map(({ top }) => Math.round(top))).size > 1 || !isWithin) {
        found.push(innerWidth + ' px: ' + amount[0] + ' in ' + text.parentElement.closest('p, td, dd, button, label, h1')?.outerHTML.slice(0, 120));
      }
    }
  }
  return found;
})()`;

/** Returns the amounts that a payer could misread, with all details open: half of an amount, or `456.` above `00`. */
export async function brokenAmountsAt(page: Page, widths: readonly number[]): Promise<unknown[]> {
  await unfold(page);
  const found: unknown[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 700 });
    found.push(await page.evaluate(BROKEN_AMOUNTS));
  }
  return found.flat();
}

/** Returns by how many pixels the page scrolls sideways at each width, with all details open. */
export async function overflowAt(page: Page, widths: readonly number[]): Promise<unknown[]> {
  await unfold(page);
  const found: unknown[] = [];
  for (const width of widths) {
    await page.setViewportSize({ width, height: 700 });
    found.push(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
  }
  return found;
}

/** Returns axe's findings for the page with all details open, in light and dark: the rule and the first element. */
export async function accessibilityFindings(page: Page): Promise<unknown[]> {
  await page.emulateMedia({ colorScheme: 'light' });
  await unfold(page);
  const light = await axeOn(page).analyze();
  // The two schemes differ only in their colours.
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await axeOn(page).withRules('color-contrast').analyze();
  return [...light.violations, ...dark.violations].map(({ id, nodes }) => [id, nodes[0]?.html]);
}

/** Runs axe in the page itself. Its other mode opens a second page for each run, and our pages have no frames. */
function axeOn(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode();
}

async function unfold(page: Page): Promise<void> {
  for (const summary of await page.locator('details:not([open]) > summary').all()) {
    await summary.click();
  }
}
