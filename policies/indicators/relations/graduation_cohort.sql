-- graduation_cohort: person_id, cohort_year, district, outcome, uc_csu_met
WITH high_school AS (
    SELECT e.person_id, e.school_year, e.provider, e.school, CAST(e.grade AS INTEGER) AS grade,
        e.start_date, e.exit_date, e.exit_reason, e.completion_status, e.uc_csu_met
    FROM enrollment AS e
    JOIN districts AS d ON d.district = e.provider AND d.school_year = e.school_year
    WHERE e.grade IN ('09', '10', '11', '12')
        AND e.enrollment_status IN (SELECT value FROM parameters WHERE name = 'enrollment_status')
        AND COALESCE(e.exit_reason, '') NOT IN (SELECT value FROM parameters WHERE name = 'no_show')
),
entries AS (
    SELECT person_id, school_year + 12 - grade AS cohort_year,
        ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY school_year, start_date, grade) AS place
    FROM high_school
),
observed AS (
    SELECT MIN(school_year) AS first_year, MAX(school_year) AS last_year FROM high_school
),
cohort AS (
    SELECT n.person_id, y.cohort_year, y.cohort_opens_on, y.cohort_closes_on, y.graduates_by
    FROM entries AS n
    JOIN calendar AS y ON y.cohort_year = n.cohort_year
    CROSS JOIN observed AS o
    WHERE n.place = 1 AND n.cohort_year - 3 >= o.first_year AND n.cohort_year <= o.last_year
),
enrollments AS (
    SELECT c.person_id, c.cohort_year, h.school_year, h.provider, h.school, h.start_date, h.exit_date, h.exit_reason,
        h.uc_csu_met,
        CASE
            WHEN h.exit_reason IN (SELECT value FROM parameters WHERE name = 'graduate_exit')
                AND h.completion_status IN (SELECT value FROM parameters WHERE name = 'graduate_codes')
                AND h.exit_date <= c.graduates_by
            THEN 1 ELSE 0
        END AS graduated
    FROM cohort AS c
    JOIN high_school AS h ON h.person_id = c.person_id
    WHERE h.school_year BETWEEN c.cohort_year - 3 AND c.cohort_year
        AND h.start_date <= c.cohort_closes_on
        AND COALESCE(h.exit_date, c.cohort_closes_on) >= c.cohort_opens_on
),
deciding AS (
    SELECT person_id, cohort_year, school_year, provider, exit_reason, uc_csu_met, graduated,
        ROW_NUMBER() OVER (
            PARTITION BY person_id
            ORDER BY graduated DESC, school_year DESC, start_date DESC,
                COALESCE(exit_date, DATE '9999-12-31') DESC, provider, school, COALESCE(exit_reason, ''),
                COALESCE(uc_csu_met, 'A') DESC
        ) AS place
    FROM enrollments
)
SELECT person_id, cohort_year, provider AS district,
    CASE
        WHEN graduated = 1 THEN 'yes'
        WHEN exit_reason IN (SELECT value FROM parameters WHERE name = 'lost_transfer')
            THEN (SELECT MAX(value) FROM parameters WHERE name = 'lost_transfer_outcome')
        WHEN exit_reason IS NULL AND school_year < cohort_year THEN 'unknown'
        ELSE 'no'
    END AS outcome,
    CASE WHEN graduated = 1 THEN uc_csu_met END AS uc_csu_met
FROM deciding
WHERE place = 1
    AND (graduated = 1 OR COALESCE(exit_reason, '') NOT IN (SELECT value FROM parameters WHERE name = 'removal'))
