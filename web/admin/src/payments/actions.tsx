import { Button, Group } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { Schemas } from '../api/client.ts';
import { useMay } from '../session/session.tsx';
import { useLanguage } from '../words/language.tsx';
import { RefundDialog } from './refund-dialog.tsx';
import { ReviewDialog } from './review-dialog.tsx';

/** What this person can do with the payment now. */
export function Actions({ detail }: { readonly detail: Schemas['PaymentDetail'] }) {
  const { words } = useLanguage();
  const may = useMay();
  const [refunding, refund] = useDisclosure(false);
  const [accepting, accept] = useDisclosure(false);
  const [rejecting, reject] = useDisclosure(false);
  const { payment } = detail;
  const refundableMinor = refundable(detail);
  return (
    <Group>
      {payment.review !== null && may('payment:review', payment.applicationId) && (
        <>
          <Button onClick={accept.open}>{words.payment.accept}</Button>
          <Button color="red" variant="light" onClick={reject.open}>
            {words.payment.reject}
          </Button>
        </>
      )}
      {refundableMinor > 0 && may('refund:create', payment.applicationId) && (
        <Button variant="default" onClick={refund.open}>
          {words.payment.refund}
        </Button>
      )}
      {refunding && <RefundDialog payment={payment} refundableMinor={refundableMinor} close={refund.close} />}
      {accepting && <ReviewDialog payment={payment} decision="accept" close={accept.close} />}
      {rejecting && <ReviewDialog payment={payment} decision="reject" close={reject.close} />}
    </Group>
  );
}

/** What is left to refund. The server decides; this is what the form offers. */
function refundable({ payment, refunds }: Schemas['PaymentDetail']): number {
  if (payment.status !== 'SUCCEEDED' && payment.status !== 'PARTIALLY_REFUNDED') {
    return 0;
  }
  const taken = refunds.filter(({ status }) => status !== 'FAILED' && status !== 'REJECTED');
  return payment.amountMinor - taken.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
}
