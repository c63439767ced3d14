-- Only a refund that was approved is paid out, once, and never by the person who asked for it.
CREATE FUNCTION adjusting_check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM adjusting_adjustment a WHERE a.id = NEW.adjustment_id
            AND a.kind = 'refund' AND a.status = 'posted' AND a.asked_by_id <> NEW.paid_by_id) THEN
        RAISE EXCEPTION 'This is no approved refund, or its asker pays it out.'
            USING ERRCODE = 'LG006';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER adjusting_refund_sound BEFORE INSERT ON adjusting_refundpayment
    FOR EACH ROW EXECUTE FUNCTION adjusting_check_refund();
CREATE TRIGGER adjusting_refund_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON adjusting_refundpayment
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
