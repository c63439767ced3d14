-- A change of type or units may rest on a reason instead of a document; it names its property.
-- A finding is decided once, and what was found is not rewritten by deciding.
CREATE OR REPLACE FUNCTION registry_guard_finding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'proposed' OR (OLD.property_id, OLD.document_id, OLD.reason, OLD.kind,
            OLD.from_on, OLD.customer_id, OLD.share_basis_points, OLD.property_type_id,
            OLD.dwelling_units, OLD.found_by_id, OLD.found_at)
        IS DISTINCT FROM (NEW.property_id, NEW.document_id, NEW.reason, NEW.kind,
            NEW.from_on, NEW.customer_id, NEW.share_basis_points, NEW.property_type_id,
            NEW.dwelling_units, NEW.found_by_id, NEW.found_at) THEN
        RAISE EXCEPTION 'Finding % is decided or would be rewritten.', OLD.id
            USING ERRCODE = 'RG001';
    END IF;
    RETURN NEW;
END $$;

-- A property changes only by a finding about it that another person decided.
CREATE OR REPLACE FUNCTION registry_guard_property_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM registry_finding f LEFT JOIN registry_document d ON d.id = f.document_id
        WHERE f.id = NEW.finding_id AND f.kind = 'use' AND f.state = 'applied'
            AND f.decided_by_id <> f.found_by_id
            AND coalesce(d.property_id, f.property_id) = NEW.property_id
            AND f.from_on = NEW.from_on AND f.property_type_id = NEW.property_type_id
            AND f.dwelling_units = NEW.dwelling_units) THEN
        RAISE EXCEPTION 'Property % changes without a finding that another person decided.',
            NEW.property_id USING ERRCODE = 'RG002';
    END IF;
    RETURN NEW;
END $$;
