import { Alert, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { useApplicationNames } from '../applications/application-names.ts';
import { Act } from '../parts/act.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Facts } from '../parts/facts.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useMay, useMe } from '../session/session.tsx';
import { StepUpCancelled, useSensitive } from '../session/step-up.tsx';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useChange } from '../parts/use-change.ts';

interface Approved {
  readonly refund: Schemas['Refund'];
  /** Undefined if the person may not see payments. */
  readonly payment: Schemas['PaymentDetail'] | undefined;
}

/** Approving and rejecting; or why this person cannot. */
export function ApprovalPart({ refund, payment }: Approved) {
  const { words, language } = useLanguage();
  const { operator } = useMe();
  const may = useMay();
  const sensitive = useSensitive();
  const queries = useQueryClient();
  const [isRejecting, setIsRejecting] = useState(false);
  const amount = moneyOf(refund, language);
  const number = countOf(refund.id, language);
  const params = { path: { id: refund.id } };
  const refresh = async () => {
    await queries.invalidateQueries({ queryKey: ['refund', refund.id.toString()] });
    await queries.invalidateQueries({ queryKey: ['refunds'] });
  };
  const reject = useChange({
    mutationFn: (reason: string) =>
      sensitive(words.refunds.rejectAct(amount, number), () =>
        dataOf(api.POST('/admin/refunds/{id}/reject', { params, body: { reason } })),
      ),
    onSettled: refresh,
  });
  if (!may('refund:approve')) {
    return <Alert color="gray">{words.refunds.mayNotApprove}</Alert>;
  }
  if (refund.createdBy === `operator:${operator.id}`) {
    return <Alert color="gray">{words.refunds.ownRefund}</Alert>;
  }
  const { error } = reject;
  return (
    <Stack>
      {error !== null && !(error instanceof StepUpCancelled) && <ErrorNotice error={error} isChange />}
      {isRejecting ? (
        <Form submit={(form) => reject.mutate(textOf(form, 'reason'))}>
          <TextInput name="reason" label={words.refunds.rejectReason} required maxLength={255} autoFocus />
          <Group grow>
            <Button variant="default" onClick={() => setIsRejecting(false)}>
              {words.cancel}
            </Button>
            <Button type="submit" color="red" loading={reject.isPending}>
              {words.refunds.reject}
            </Button>
          </Group>
        </Form>
      ) : (
        <Group grow>
          <Button variant="default" color="red" onClick={() => setIsRejecting(true)}>
            {words.refunds.reject}
          </Button>
          <Act
            label={words.refunds.approve}
            variant="filled"
            what={words.refunds.approveAct(amount, number)}
            run={() => dataOf(api.POST('/admin/refunds/{id}/approve', { params }))}
            refresh={[['refund', refund.id.toString()], ['refunds']]}
          >
            <WhatHappens refund={refund} payment={payment} />
          </Act>
        </Group>
      )}
    </Stack>
  );
}

/** What the second person agrees to, once more before it is done. */
function WhatHappens({ refund, payment }: Approved) {
  const { words, language } = useLanguage();
  const applications = useApplicationNames();
  return (
    <>
      <Text>{words.refunds.approveWhat}</Text>
      <Facts
        facts={[
          [words.refunds.amount, moneyOf(refund, language)],
          ...(payment === undefined
            ? []
            : ([
                [words.payments.application, applications[payment.payment.applicationId.toString()] ?? '–'],
                [words.payments.customer, payment.customerReference],
                [words.refunds.payment, payment.payment.reference],
              ] as const)),
          [words.refunds.reason, refund.reason ?? '–'],
        ]}
      />
    </>
  );
}
