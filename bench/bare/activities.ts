export type BareInput = Readonly<Record<'paymentId' | 'reference' | 'applicationId' | 'mode', string>>;

export interface BareDependencies {
  /** Inserts one row; used only to compare latencies. */
  readonly insert: (reference: string) => Promise<unknown>;
  readonly startWebhook: (input: BareInput) => Promise<unknown>;
  readonly delivered: (reference: string) => void;
}
export type BareActivities = ReturnType<typeof createBareActivities>;

export function createBareActivities({ insert, startWebhook, delivered }: BareDependencies) {
  return {
    async open({ reference, mode }: BareInput): Promise<object> {
      await (mode === 'INSERT' ? insert(reference) : undefined);
      return { kind: 'open', expiresAtMs: Date.now(), attention: false };
    },
    verify: (_input: BareInput): Promise<object> => Promise.resolve({ kind: 'charged' }),
    settle: (input: BareInput): Promise<string> => startWebhook(input).then(() => 'SUCCEEDED'),
    async deliver({ reference }: BareInput): Promise<object> {
      delivered(reference);
      return { kind: 'delivered' };
    },
  };
}
