import { Button, Group, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useSensitive } from '../session/step-up.tsx';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { minorUnitsOf, plainTextOf } from './amount-text.ts';

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
  const [isWrong, setIsWrong] = useState(false);
  const refund = useMutation({
    mutationFn: ({ amountMinor, reason }: Asked) =>
      sensitive(words.payment.refundAct(moneyOf({ amountMinor, currency }, language), reference), () =>
        dataOf(
          api.POST('/admin/payments/{id}/refunds', {
            params: { path: { id: payment.id } },
            body: reason === '' ? { amountMinor } : { amountMinor, reason },
          }),
        ),
      ),
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
          const isRight = amountMinor !== null && amountMinor > 0 && amountMinor <= refundableMinor;
          setIsWrong(!isRight);
          if (isRight) {
            refund.mutate({ amountMinor, reason: textOf(form, 'reason') });
          }
        }}
      >
        <TextInput
          name="amount"
          label={words.payment.refundAmount(currency)}
          description={words.payment.refundable(moneyOf({ amountMinor: refundableMinor, currency }, language))}
          defaultValue={plainTextOf(refundableMinor, currency)}
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
