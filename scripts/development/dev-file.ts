import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readPrivateJson, writePrivateJson } from '../shared/private-files.ts';
import { findLauncher } from './stack-record.ts';

const credentialPair = z.object({ apiKey: z.string(), apiSecret: z.string() });

/** The demo application of the native API, with its secrets. `signingSecret` is for LIVE, `testSigningSecret` for TEST. */
export const nativeApp = z.object({
  id: z.int(),
  test: credentialPair,
  live: credentialPair,
  signingSecret: z.string(),
  testSigningSecret: z.string(),
});

export type NativeApp = z.infer<typeof nativeApp>;

/** The demo application of OwnPay's contract, with a key for TEST. `webhookSecret` is for TEST, `liveWebhookSecret` for LIVE. */
export const ownpayApp = z.object({
  id: z.int(),
  apiKey: z.string(),
  webhookSecret: z.string(),
  liveWebhookSecret: z.string(),
});

export type OwnpayApp = z.infer<typeof ownpayApp>;

/** The demo application of ShadhinPay's contract, with a key for each mode. `webhookSecret` is for TEST, `liveWebhookSecret` for LIVE. */
export const shadhinpayApp = z.object({
  id: z.int(),
  clientId: z.string(),
  businessId: z.string(),
  testKey: z.string(),
  liveKey: z.string(),
  webhookSecret: z.string(),
  liveWebhookSecret: z.string(),
});

export type ShadhinpayApp = z.infer<typeof shadhinpayApp>;

export const demoOperator = z.object({ email: z.string(), password: z.string(), role: z.string() });

export type DemoOperator = z.infer<typeof demoOperator>;

const devFile = z.object({
  api: z.url(),
  web: z.url(),
  admin: z.url(),
  simulators: z.url(),
  /** The page that shows every email. */
  mailbox: z.url(),
  temporal: z.object({ address: z.string(), ui: z.string(), namespace: z.string() }),
  databaseUrl: z.string(),
  apps: z.object({ native: nativeApp, ownpay: ownpayApp, shadhinpay: shadhinpayApp }),
  operators: z.array(demoOperator),
  processes: z.record(z.string(), z.int().positive()),
});

/** Where a running stack's parts are, and the demo's credentials. The stack writes it for other programs. */
export type DevFile = z.infer<typeof devFile>;

/** Reads where a stack is running. Returns undefined if none is, even if a killed one left its file. */
export async function findRunningStack(directory: string): Promise<DevFile | undefined> {
  return (await findLauncher(directory)) === undefined ? undefined : readPrivateJson(fileIn(directory), devFile);
}

export function writeDevFile(directory: string, contents: DevFile): void {
  writePrivateJson(fileIn(directory), devFile.parse(contents));
}

export function removeDevFile(directory: string): void {
  rmSync(fileIn(directory), { force: true });
}

function fileIn(directory: string): string {
  return join(directory, 'dev.json');
}
