import { Alert, Button, Group, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useMay, useMe } from '../session/session.tsx';
import { StepUpCancelled, useSensitive } from '../session/step-up.tsx';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useChange } from '../parts/use-change.ts';

/** Approving and rejecting; or why this person cannot. */
export function ApprovalPart({ refund }: { readonly refund: Schemas['Refund'] }) {
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
  const approve = useChange({
    mutationFn: () =>
      sensitive(words.refunds.approveAct(amount, number), () =>
        dataOf(api.POST('/admin/refunds/{id}/approve', { params })),
      ),
    onSettled: refresh,
  });
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
  const error = approve.error ?? reject.error;
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
          <Button loading={approve.isPending} onClick={() => approve.mutate()}>
            {words.refunds.approve}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
