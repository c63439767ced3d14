-- Posts a payment in one call: entry, transfers, receipt and tenders, or nothing.
--
-- It runs as the caller, so that the ledger's guards hold as for any other entry. What the till
-- does not allow comes back as an outcome with nothing written; what the ledger does not allow
-- raises, and the whole call is undone. Outcomes: posted, repeated (the key was used before, the
-- receipt is its), key_taken, no_till, other_center, other_cashier, till_closed, day_closed,
-- drawer_full, no_account.
--
-- The session's row is locked first: payments of one drawer queue up, those of other drawers
-- do not notice, and a drawer cannot be counted while a payment of it is being posted.
-- Plans are made once and go by index: planning anew costs more than running, and what suited
-- an empty table on the first payment of a connection would be slow on its thousandth.
-- Each leg settles a charge from one tender, or, without a charge, becomes the payer's credit.
CREATE FUNCTION cashiering_take_payment(
    p_session bigint, p_actor bigint, p_centers bigint[], p_payer bigint, p_now timestamptz,
    p_key text, p_total bigint, p_tendered bigint, p_change bigint, p_cash bigint,
    p_leg_charges bigint[], p_leg_tenders text[], p_leg_cents bigint[],
    p_kinds text[], p_cents bigint[], p_references text[],
    OUT outcome text, OUT receipt_id bigint, OUT receipt_number text,
    OUT center_id bigint, OUT center_code text, OUT center_name text, OUT center_address text,
    OUT till_code text, OUT cashier text, OUT payer_number text, OUT over_cents bigint,
    OUT line_charges bigint[], OUT line_accounts text[], OUT line_kinds text[],
    OUT line_documents text[]
) LANGUAGE plpgsql SECURITY INVOKER SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    s record;
    v_entry bigint;
    v_posted int;
BEGIN
    SELECT s.cashier_id, s.closed_at, s.drawer_cents, s.last_number, s.business_day_id, t.code,
            t.cash_limit_cents, t.center_id, c.code AS center_code, c.name AS center_name,
            c.address AS center_address, d.day, d.closed_at AS day_closed_at, p.number AS payer,
            coalesce(nullif(u.display_name, ''), u.username) AS cashier
        INTO s
        FROM cashiering_tillsession s
        JOIN cashiering_till t ON t.id = s.till_id
        JOIN identity_center c ON c.id = t.center_id
        JOIN ledger_businessday d ON d.id = s.business_day_id
        JOIN identity_user u ON u.id = s.cashier_id
        LEFT JOIN ledger_account p ON p.id = p_payer
        WHERE s.id = p_session
        FOR NO KEY UPDATE OF s;
    center_id := s.center_id;
    center_code := s.center_code;
    center_name := s.center_name;
    center_address := s.center_address;
    till_code := s.code;
    cashier := s.cashier;
    payer_number := s.payer;
    SELECT r.id, r.number INTO receipt_id, receipt_number
        FROM ledger_entry e JOIN cashiering_receipt r ON r.entry_id = e.id
        WHERE e.idempotency_key = p_key;
    outcome := CASE
        WHEN s.code IS NULL THEN 'no_till'
        WHEN s.center_id <> ALL (p_centers) THEN 'other_center'
        WHEN receipt_id IS NOT NULL THEN 'repeated'
        WHEN s.cashier_id <> p_actor THEN 'other_cashier'
        WHEN s.closed_at IS NOT NULL THEN 'till_closed'
        WHEN s.day_closed_at IS NOT NULL THEN 'day_closed'
        WHEN s.payer IS NULL THEN 'no_account'
        WHEN p_cash > 0 AND s.drawer_cents + p_cash > s.cash_limit_cents THEN 'drawer_full'
    END;
    IF outcome IS NOT NULL THEN
        over_cents := s.drawer_cents + p_cash - s.cash_limit_cents;
        RETURN;
    END IF;

    receipt_number := format('%s-%s-%s', s.code, to_char(s.day, 'YYYYMMDD'),
        lpad((s.last_number + 1)::text, greatest(4, length((s.last_number + 1)::text)), '0'));
    INSERT INTO ledger_entry (business_day_id, kind, actor_id, posted_at, document, reason,
            idempotency_key)
        VALUES (s.business_day_id, 'payment', p_actor, p_now, receipt_number, '', p_key)
        ON CONFLICT (idempotency_key) DO NOTHING RETURNING id INTO v_entry;
    IF v_entry IS NULL THEN  -- another drawer used the key at the same moment
        receipt_number := NULL;
        SELECT r.id, r.number INTO receipt_id, receipt_number
            FROM ledger_entry e JOIN cashiering_receipt r ON r.entry_id = e.id
            WHERE e.idempotency_key = p_key;
        outcome := CASE WHEN receipt_id IS NULL THEN 'key_taken' ELSE 'repeated' END;
        RETURN;
    END IF;

    INSERT INTO ledger_transfer (entry_id, debit_id, credit_id, cents, effect, account_id,
            charge_id)
        SELECT v_entry, a.id, coalesce(k.receivable_id, credits.id), l.cents,
            CASE WHEN l.charge IS NULL THEN 'none' ELSE 'settle' END,
            coalesce(c.account_id, p_payer), c.id
        FROM unnest(p_leg_charges, p_leg_tenders, p_leg_cents) WITH ORDINALITY
            AS l (charge, tender, cents, position)
        JOIN ledger_ledgeraccount a ON a.code = '1010-' || s.center_code || '-' || l.tender
        LEFT JOIN ledger_charge c ON c.id = l.charge
        LEFT JOIN ledger_chargekind k ON k.id = c.kind_id
        LEFT JOIN ledger_ledgeraccount credits ON l.charge IS NULL AND credits.code = '2300'
        WHERE l.charge IS NULL OR c.id IS NOT NULL
        ORDER BY l.position;
    GET DIAGNOSTICS v_posted = ROW_COUNT;
    IF v_posted <> cardinality(p_leg_cents) THEN
        RAISE EXCEPTION 'A charge or a till account does not exist.' USING ERRCODE = 'CS001';
    END IF;

    WITH r AS (
        INSERT INTO cashiering_receipt (number, session_id, entry_id, payer_account_id,
                total_cents, tendered_cents, change_cents, taken_at)
            VALUES (receipt_number, p_session, v_entry, p_payer, p_total, p_tendered, p_change,
                p_now)
            RETURNING id
    ), t AS (
        INSERT INTO cashiering_tender (receipt_id, kind, cents, reference)
            SELECT r.id, n.* FROM r, unnest(p_kinds, p_cents, p_references) AS n
    )
    SELECT r.id INTO receipt_id FROM r;
    UPDATE cashiering_tillsession
        SET drawer_cents = drawer_cents + p_cash, last_number = last_number + 1
        WHERE id = p_session;
    SELECT array_agg(c.id), array_agg(a.number), array_agg(k.name), array_agg(c.document)
        INTO line_charges, line_accounts, line_kinds, line_documents
        FROM ledger_charge c
        JOIN ledger_account a ON a.id = c.account_id
        JOIN ledger_chargekind k ON k.id = c.kind_id
        WHERE c.id = ANY (p_leg_charges);
    outcome := 'posted';
END $$;
