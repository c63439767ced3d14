-- What was proven, who saw it and who decided stays as it was, whoever writes.

CREATE FUNCTION registry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What is kept in % is never changed: % is refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'RG001';
END $$;

CREATE TRIGGER documents_stay BEFORE UPDATE OR DELETE ON registry_document
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER views_stay BEFORE UPDATE OR DELETE ON registry_documentview
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER reviews_stay BEFORE UPDATE OR DELETE ON registry_documentreview
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER changes_stay BEFORE UPDATE OR DELETE ON registry_propertychange
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_change();
CREATE TRIGGER findings_stay BEFORE DELETE ON registry_finding
    FOR EACH ROW EXECUTE FUNCTION registry_refuse_change();

-- A finding is decided once, and what was found is not rewritten by deciding.
CREATE FUNCTION registry_guard_finding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'proposed' OR (OLD.document_id, OLD.kind, OLD.from_on, OLD.customer_id,
            OLD.share_basis_points, OLD.property_type_id, OLD.dwelling_units, OLD.found_by_id,
            OLD.found_at)
        IS DISTINCT FROM (NEW.document_id, NEW.kind, NEW.from_on, NEW.customer_id,
            NEW.share_basis_points, NEW.property_type_id, NEW.dwelling_units, NEW.found_by_id,
            NEW.found_at) THEN
        RAISE EXCEPTION 'Finding % is decided or would be rewritten.', OLD.id
            USING ERRCODE = 'RG001';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER findings_decided_once BEFORE UPDATE ON registry_finding
    FOR EACH ROW EXECUTE FUNCTION registry_guard_finding();

-- A property changes only by a finding about it that another person decided.
CREATE FUNCTION registry_guard_property_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM registry_finding f JOIN registry_document d ON d.id = f.document_id
        WHERE f.id = NEW.finding_id AND f.kind = 'use' AND f.state = 'applied'
            AND f.decided_by_id <> f.found_by_id AND d.property_id = NEW.property_id
            AND f.from_on = NEW.from_on AND f.property_type_id = NEW.property_type_id
            AND f.dwelling_units = NEW.dwelling_units) THEN
        RAISE EXCEPTION 'Property % changes without a finding that another person decided.',
            NEW.property_id USING ERRCODE = 'RG002';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER property_changes_are_decided BEFORE INSERT ON registry_propertychange
    FOR EACH ROW EXECUTE FUNCTION registry_guard_property_change();
