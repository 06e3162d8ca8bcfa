import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { PATIENCE_MS } from '../support/until.ts';
import type { TestStack } from '../support/stack.ts';

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 800 };
const REPORTS = 'complaints of the policy';

export interface Visit {
  readonly page: Page;
  /** Errors on the console, of scripts, and reports of the content security policy. */
  readonly complaints: string[];
  readonly leave: () => Promise<void>;
}

export interface VisitOptions extends BrowserContextOptions {
  readonly stack: TestStack;
  readonly browser: Browser;
  /** The role of the demo's operator who logs in. */
  readonly role: string;
  /** Below `/admin`. */
  readonly path: string;
}

/** Logs an operator in and opens a page of the dashboard. */
export async function visit({ stack, browser, role, path, ...options }: VisitOptions): Promise<Visit> {
  const context = await browser.newContext({ viewport: DESKTOP, locale: 'en-GB', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => complaints.push(`a dialog: ${dialog.message()}`));
  await page.addInitScript(`document.addEventListener('securitypolicyviolation', (report) =>
    console.error(${JSON.stringify(REPORTS)}, report.violatedDirective, report.blockedURI))`);
  await page.goto(stack.dev.admin + path);
  await page.getByLabel('Email').fill(emailOf(stack, role));
  await page.getByLabel('Password', { exact: false }).first().fill(passwordOf(stack, role));
  await page.getByRole('button', { name: 'Log in' }).click();
  return { page, complaints, leave: () => context.close() };
}

/** Returns what axe finds on a page. */
export async function findings(page: Page): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze();
  return violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
}

export function emailOf({ dev }: TestStack, role: string): string {
  return dev.operators.find((one) => one.role === role)?.email ?? '';
}

export function passwordOf({ dev }: TestStack, role: string): string {
  return dev.operators.find((one) => one.role === role)?.password ?? '';
}

export function heading(page: Page, name: string) {
  return page.getByRole('heading', { name });
}
