import { Badge } from '@mantine/core';
import type { PaymentStatus, RefundStatus } from '../api/names.ts';
import { useLanguage } from '../words/language.tsx';

const COLORS: Record<PaymentStatus | RefundStatus, string> = {
  CREATED: 'gray',
  PENDING: 'blue',
  SUCCEEDED: 'teal',
  FAILED: 'red',
  CANCELLED: 'gray',
  EXPIRED: 'gray',
  PARTIALLY_REFUNDED: 'violet',
  REFUNDED: 'violet',
  AWAITING_APPROVAL: 'orange',
  REJECTED: 'red',
};

export function PaymentStatusBadge({ status }: { readonly status: PaymentStatus }) {
  const { words } = useLanguage();
  return (
    <Badge color={COLORS[status]} variant="dot" tt="none" miw="max-content">
      {words.statuses[status]}
    </Badge>
  );
}

export function RefundStatusBadge({ status }: { readonly status: RefundStatus }) {
  const { words } = useLanguage();
  return (
    <Badge color={COLORS[status]} variant="dot" tt="none" miw="max-content">
      {words.refundStatuses[status]}
    </Badge>
  );
}
