import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNotice } from '../parts/error-notice.tsx';
import { Form, textOf } from '../parts/form.tsx';
import { useSensitive } from '../session/step-up.tsx';
import { useLanguage } from '../words/language.tsx';
import { useChange } from '../parts/use-change.ts';

export function ReviewDialog({
  payment: { id, reference },
  decision,
  close,
}: {
  readonly payment: Schemas['Payment'];
  readonly decision: Schemas['PaymentReview']['decision'];
  readonly close: () => void;
}) {
  const { words } = useLanguage();
  const sensitive = useSensitive();
  const queries = useQueryClient();
  const act = words.payment.reviewAct[decision](reference);
  const decide = useChange({
    mutationFn: (reason: string) =>
      sensitive(act, () =>
        dataOf(api.POST('/admin/payments/{id}/review', { params: { path: { id } }, body: { decision, reason } })),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['payment', id.toString()] }),
  });
  const waits = decide.data?.decision === 'awaiting-second-approval';
  return (
    <Dialog title={act} close={close}>
      {decide.isSuccess ? (
        <Stack>
          <Text role="status">{waits ? words.payment.reviewWaits : act}</Text>
          <Button onClick={close}>{words.close}</Button>
        </Stack>
      ) : (
        <Form submit={(form) => decide.mutate(textOf(form, 'reason'))}>
          <Textarea name="reason" label={words.payment.reviewReason} required maxLength={500} data-autofocus />
          {decide.error !== null && <ErrorNotice error={decide.error} isChange />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {words.cancel}
            </Button>
            <Button type="submit" color={decision === 'reject' ? 'red' : 'teal'} loading={decide.isPending}>
              {words.payment[decision]}
            </Button>
          </Group>
        </Form>
      )}
    </Dialog>
  );
}
