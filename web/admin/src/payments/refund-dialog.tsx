import { Button, Group, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useSensitive } from '../session/step-up.tsx';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { minorUnitsOf, plainTextOf } from './amount-text.ts';
import { useChange } from '../parts/use-change.ts';

interface Asked {
  readonly amountMinor: number;
  readonly reason: string;
}

export function RefundDialog({
  payment,
  refundableMinor,
  close,
}: {
  readonly payment: Schemas['Payment'];
  readonly refundableMinor: number;
  readonly close: () => void;
}) {
  const { words, language } = useLanguage();
  const { currency, reference } = payment;
  const sensitive = useSensitive();
  const queries = useQueryClient();
  // As it was when the dialog opened: a refund whose answer was lost counts by now, and asking for it again finds it.
  const [atMostMinor] = useState(refundableMinor);
  const [isWrong, setIsWrong] = useState(false);
  const keyOf = useIdempotencyKey();
  const refund = useChange({
    mutationFn: (asked: Asked) => {
      const { amountMinor, reason } = asked;
      // Asked again after a lost answer, the same refund is found, not made twice.
      const headers = { 'Idempotency-Key': keyOf(asked) };
      return sensitive(words.payment.refundAct(moneyOf({ amountMinor, currency }, language), reference), () =>
        dataOf(
          api.POST('/admin/payments/{id}/refunds', {
            params: { path: { id: payment.id } },
            headers,
            body: reason === '' ? { amountMinor } : { amountMinor, reason },
          }),
        ),
      );
    },
    onSuccess: close,
    // Also after a failure: what the page shows decides whether to try again.
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: ['payment', payment.id.toString()] });
    },
  });
  return (
    <Dialog title={words.payment.refundTitle} close={close}>
      <Form
        submit={(form) => {
          const amountMinor = minorUnitsOf(textOf(form, 'amount'), currency);
          const isRight = amountMinor !== null && amountMinor > 0 && amountMinor <= atMostMinor;
          setIsWrong(!isRight);
          if (isRight) {
            refund.mutate({ amountMinor, reason: textOf(form, 'reason') });
          }
        }}
      >
        <TextInput
          name="amount"
          label={words.payment.refundAmount(currency)}
          description={words.payment.refundable(moneyOf({ amountMinor: atMostMinor, currency }, language))}
          defaultValue={plainTextOf(atMostMinor, currency)}
          error={isWrong ? words.payment.wrongAmount : undefined}
          inputMode="decimal"
          required
          data-autofocus
        />
        <TextInput name="reason" label={words.payment.refundReason} maxLength={255} />
        {refund.error !== null && <ErrorNotice error={refund.error} isChange />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {words.cancel}
          </Button>
          <Button type="submit" loading={refund.isPending}>
            {words.payment.refundSubmit}
          </Button>
        </Group>
      </Form>
    </Dialog>
  );
}

/** Returns a function that gives the same key for the same request, and another one for another, as long as the dialog is open. */
function useIdempotencyKey(): (asked: Asked) => string {
  const keys = useRef(new Map<string, string>());
  return (asked) => {
    const text = JSON.stringify(asked);
    const key = keys.current.get(text) ?? crypto.randomUUID();
    keys.current.set(text, key);
    return key;
  };
}
