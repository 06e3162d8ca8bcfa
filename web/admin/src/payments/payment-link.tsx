import { Link } from '@tanstack/react-router';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';

/** A payment's reference, with the way to its page for whoever may see it. */
export function PaymentLink({ id, reference }: { readonly id: number; readonly reference: string }) {
  const { path } = useMode();
  const may = useMay();
  return may('payment:read') ? (
    <Link to="/$mode/payments/$id" params={{ mode: path, id: id.toString() }} className="breaks">
      {reference}
    </Link>
  ) : (
    <span className="breaks">{reference}</span>
  );
}
