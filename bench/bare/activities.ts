export type BareInput = Readonly<Record<'paymentId' | 'reference' | 'applicationId' | 'mode', string>>;

export interface BareDependencies {
  /** Inserts one row; used only to compare latencies. */
  readonly insert: (reference: string) => Promise<unknown>;
  readonly delivered: (reference: string) => void;
}
export type BareActivities = ReturnType<typeof createBareActivities>;

export function createBareActivities({ insert, delivered }: BareDependencies) {
  return {
    async open({ reference, mode }: BareInput): Promise<object> {
      await (mode === 'INSERT' ? insert(reference) : undefined);
      return { kind: 'open', expiresAtMs: Date.now(), attention: false };
    },
    verify({ reference }: BareInput): Promise<string> {
      delivered(reference);
      return Promise.resolve('SUCCEEDED');
    },
  };
}
