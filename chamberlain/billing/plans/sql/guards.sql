-- A plan, the charges that it covers and its instalments are one sum; what was agreed stays.

CREATE FUNCTION plans_check_sums() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE charged bigint; instalments bigint;
BEGIN
    SELECT coalesce(sum(cents), 0) INTO charged FROM plans_plancharge WHERE plan_id = NEW.id;
    SELECT coalesce(sum(cents), 0) INTO instalments FROM plans_instalment WHERE plan_id = NEW.id;
    IF charged <> NEW.total_cents OR instalments <> NEW.total_cents THEN
        RAISE EXCEPTION 'Plan % is for % cents, its charges for %, its instalments for %.',
            NEW.number, NEW.total_cents, charged, instalments USING ERRCODE = 'LG005';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER plans_sums AFTER INSERT OR UPDATE ON plans_plan
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION plans_check_sums();

CREATE FUNCTION plans_keep_agreed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF TG_TABLE_NAME = 'plans_plancharge' THEN
            IF (NEW.plan_id, NEW.charge_id, NEW.cents)
                IS NOT DISTINCT FROM (OLD.plan_id, OLD.charge_id, OLD.cents) THEN
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION 'What a plan agreed on is never changed; offer another plan.'
        USING ERRCODE = 'LG005';
END $$;

CREATE TRIGGER plans_plancharge_kept BEFORE UPDATE OR DELETE ON plans_plancharge
    FOR EACH ROW EXECUTE FUNCTION plans_keep_agreed();
CREATE TRIGGER plans_instalment_kept BEFORE UPDATE OR DELETE ON plans_instalment
    FOR EACH ROW EXECUTE FUNCTION plans_keep_agreed();
