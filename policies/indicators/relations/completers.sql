-- completers: person_id, cohort_year, district, completed_on, completed_day, class_closes_day
-- A day number counts months of 31 days (372 a year), so that adding n months to a day adds 31 n to its number.
WITH completions AS (
    SELECT e.person_id, e.provider AS district, e.exit_date AS completed_on,
        ROW_NUMBER() OVER (PARTITION BY e.person_id ORDER BY e.exit_date, e.provider) AS place
    FROM enrollment AS e
    JOIN districts AS d ON d.district = e.provider AND d.school_year = e.school_year
    WHERE e.enrollment_status IN (SELECT value FROM parameters WHERE name = 'enrollment_status')
        AND e.exit_reason IN (SELECT value FROM parameters WHERE name = 'completer_exit')
        AND e.completion_status IN (SELECT value FROM parameters WHERE name = 'completer_codes')
        AND e.exit_date IS NOT NULL
)
SELECT c.person_id, y.cohort_year, c.district, c.completed_on,
    372 * EXTRACT(YEAR FROM c.completed_on) + 31 * EXTRACT(MONTH FROM c.completed_on) + EXTRACT(DAY FROM c.completed_on) AS completed_day,
    372 * EXTRACT(YEAR FROM y.class_closes_on) + 31 * EXTRACT(MONTH FROM y.class_closes_on) + EXTRACT(DAY FROM y.class_closes_on) AS class_closes_day
FROM completions AS c
JOIN calendar AS y ON c.completed_on BETWEEN y.class_opens_on AND y.class_closes_on
WHERE c.place = 1
